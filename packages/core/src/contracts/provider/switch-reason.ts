/** Why the active provider was switched. */
export type SwitchReason =
  | "timeout"
  | "errors"
  | "stream_ended"
  | "health_degraded"
  | "recovered"
  | "manual_override"
  | "removed_by_reload";
