/** A script of the simulation that once violated an invariant, as the printed line of JSON. */
export interface KeptScript {
  /** Describes the script; completes "every invariant holds when ...". */
  readonly when: string;
  readonly line: string;
}

export const KEPT_SCRIPTS: readonly KeptScript[] = [
  {
    when: "the hold of a mass removal passes to another provider at a failback",
    line: '{"seed":485,"setting":{"standby":"warm","timeoutMs":15000,"maxErrors":3,"cooldownMs":10000,"lateSnapshotMs":5000,"backoffInitialMs":2000,"backoffMaxMs":30000,"probe":"warn","suppressAfter":3,"suppressMs":60000,"callTimeoutMs":10000,"callTries":10,"marks":"metadata","lives":[{"removalDwellMs":7000}],"providers":[{"id":"p","priority":10,"variant":0},{"id":"q","priority":9,"variant":0},{"id":"r","priority":8,"variant":0}]},"steps":[{"do":"members","at":"q","nodes":["e"]},{"do":"incident","at":"p","incident":"late"},{"do":"members","at":"p","nodes":[]}]}',
  },
  {
    when: "a snapshot that a port refused for a long time is replaced by a newer one",
    line: '{"seed":1150,"setting":{"standby":"warm","timeoutMs":15000,"maxErrors":1,"cooldownMs":10000,"lateSnapshotMs":5000,"backoffInitialMs":2000,"backoffMaxMs":30000,"probe":"warn","suppressAfter":3,"suppressMs":60000,"callTimeoutMs":10000,"callTries":10,"marks":"metadata","lives":[{}],"providers":[{"id":"p","priority":6,"variant":0},{"id":"s","priority":7,"variant":0}]},"steps":[{"do":"members","at":"p","nodes":[]},{"do":"port","port":"placement","behaviour":"rejecting"},{"do":"restart","deadlineMs":3000},{"do":"wait","ms":20000},{"do":"members","at":"s","nodes":[]},{"do":"incident","at":"s","incident":"shatter"}]}',
  },
  {
    when: "restored members are held until a hanging provider delivers",
    line: '{"seed":1291,"setting":{"standby":"warm","timeoutMs":15000,"maxErrors":3,"cooldownMs":10000,"lateSnapshotMs":5000,"backoffInitialMs":2000,"backoffMaxMs":30000,"probe":"warn","suppressAfter":3,"suppressMs":60000,"callTimeoutMs":10000,"callTries":10,"marks":"metadata","lives":[{"removalDwellMs":7000,"lastKnownGood":{"maxAgeMs":90000,"saveEveryMs":30000}}],"providers":[{"id":"p","priority":10,"variant":0},{"id":"q","priority":9,"variant":0}]},"steps":[{"do":"wait","ms":5000},{"do":"wait","ms":15000},{"do":"wait","ms":5000},{"do":"wait","ms":5000},{"do":"members","at":"p","nodes":[]},{"do":"behaviour","at":"q","behaviour":"hanging"},{"do":"kill"}]}',
  },
  {
    when: "the restored snapshot is from a provider that was never active in this life",
    line: '{"seed":1841,"setting":{"standby":"warm","timeoutMs":6000,"maxErrors":3,"cooldownMs":10000,"lateSnapshotMs":5000,"backoffInitialMs":2000,"backoffMaxMs":30000,"probe":"warn","suppressAfter":3,"suppressMs":60000,"callTimeoutMs":10000,"callTries":10,"marks":"metadata","lives":[{"lastKnownGood":{"maxAgeMs":15000,"saveEveryMs":10000}}],"providers":[{"id":"p","priority":10,"variant":0},{"id":"q","priority":1,"variant":0},{"id":"r","priority":8,"variant":0},{"id":"s","priority":1,"variant":0}]},"steps":[{"do":"behaviour","at":"q","behaviour":"hanging"},{"do":"wait","ms":40000},{"do":"wait","ms":40000},{"do":"wait","ms":1000},{"do":"wait","ms":20000},{"do":"behaviour","at":"p","behaviour":"stalling"},{"do":"wait","ms":20000},{"do":"behaviour","at":"p","behaviour":"forbidding"},{"do":"behaviour","at":"q","behaviour":"refusing"},{"do":"behaviour","at":"r","behaviour":"forbidding"},{"do":"restart","deadlineMs":100},{"do":"behaviour","at":"s","behaviour":"stalling"},{"do":"wait","ms":40000}]}',
  },
  {
    when: "the active provider lists no members and all members are retained",
    line: '{"seed":3958,"setting":{"standby":"warm","timeoutMs":15000,"maxErrors":3,"cooldownMs":10000,"lateSnapshotMs":5000,"backoffInitialMs":2000,"backoffMaxMs":30000,"probe":"warn","suppressAfter":3,"suppressMs":60000,"callTimeoutMs":10000,"callTries":10,"marks":"metadata","lives":[{}],"providers":[{"id":"p","priority":9,"variant":0},{"id":"q","priority":9,"variant":0}]},"steps":[{"do":"port","port":"partition","behaviour":"throwing"},{"do":"incident","at":"p","incident":"rollback"},{"do":"behaviour","at":"p","behaviour":"lagging"},{"do":"admit"},{"do":"reload","set":[{"id":"p","priority":10,"variant":0}]}]}',
  },
  {
    when: "a node is blocked in content that is held after the hold of a mass removal has ended",
    line: '{"seed":781,"setting":{"standby":"warm","timeoutMs":15000,"maxErrors":3,"cooldownMs":10000,"lateSnapshotMs":5000,"backoffInitialMs":2000,"backoffMaxMs":30000,"probe":"warn","suppressAfter":3,"suppressMs":60000,"callTimeoutMs":10000,"callTries":10,"marks":"metadata","lives":[{"removalDwellMs":0,"massRemoval":{"share":0.3,"holdMs":20000,"when":"always"}},{"massRemoval":{"share":0.5,"holdMs":20000,"when":"always"}}],"providers":[{"id":"q","priority":9,"variant":0}]},"steps":[{"do":"members","at":"q","nodes":[]},{"do":"behaviour","at":"q","behaviour":"forbidding"},{"do":"incident","at":"q","incident":"break"},{"do":"wait","ms":20000},{"do":"block","node":"b"}]}',
  },
  {
    when: "two daemons with different contents switch to each other at the same moment",
    line: '{"world":"tier","seed":2293,"setting":{"followers":[{"daemons":["a"],"isMany":false,"keepsSnapshot":false}],"latencyMs":400,"retainedEvents":1000,"standby":"warm"},"steps":[{"do":"wait","ms":300},{"do":"backend","at":"b","is":"hanging"},{"do":"change","nodes":["g"]},{"do":"backends","is":"hanging"},{"do":"wait","ms":120000}]}',
  },
  {
    when: "a follower that was restarted has stale content, and its daemon starts again with older content",
    line: '{"world":"tier","seed":3798,"setting":{"followers":[{"daemons":["a"],"isMany":false,"keepsSnapshot":true},{"daemons":["a"],"isMany":false,"keepsSnapshot":false}],"latencyMs":5,"retainedEvents":1000,"standby":"warm"},"steps":[{"do":"wait","ms":2000},{"do":"change","nodes":["c","f","g"]},{"do":"restartFollower","at":"g"},{"do":"backends","is":"refusing"},{"do":"restart","at":"b","downMs":100,"kept":"aside"},{"do":"restart","at":"a","downMs":0,"kept":"newest"},{"do":"wait","ms":2000}]}',
  },
];
