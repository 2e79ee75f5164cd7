/** Why another provider became active. */
export type SwitchReason =
  | "timeout"
  | "errors"
  | "stream_ended"
  | "health_degraded"
  | "recovered"
  | "manual_override"
  | "removed_by_reload";
