export { announce, type AnnounceOptions } from "./announce.ts";
export { Announcement, type AnnouncementWaitOptions, type LeaveOptions } from "./announcement.ts";
export type { AnnouncementEvent, AnnouncementState, AnnouncementStatus } from "./announcement-event.ts";
