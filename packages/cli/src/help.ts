const EXIT_CODES = `
Exit codes:
  0    done; for run: stopped and drained
  1    a failure: of a backend, the store, the port or standard output, or a drain that did not finish in time
  2    the command line or a configuration is invalid
  130  run was ended at once by a second Ctrl-C`;

/** The help texts below the options. They start with examples, because people learn commands from examples. */
export const HELP = {
  program: `
Examples:
  $ holdfast validate holdfast.yaml             is the configuration valid?
  $ holdfast run --config holdfast.yaml         run it; Ctrl-C drains and stops
  $ holdfast providers list -c holdfast.yaml    which providers are stored?
  $ holdfast explain node-17                    why is this node in, out, held or blocked?
  $ holdfast providers add --help               more examples of one command
${EXIT_CODES}`,
  run: `
Examples:
  $ holdfast run --config holdfast.yaml                     one line of text per event
  $ holdfast run -c holdfast.yaml --json | jq .kind         one JSON document per line
  $ holdfast run -c holdfast.yaml --port 0                  on any free port, which is printed
  $ holdfast run -c holdfast.yaml --json | jq -c 'select(.topology == "orders")'
  $ kill -HUP PID                                           reload all topologies, all or nothing
  $ kill -USR2 PID                                          accept removals that mass-removal guards hold
  $ curl -N http://127.0.0.1:7420/events                    follow the events over HTTP

A configuration can be as small as this:
  providers:
    - id: primary
      kind: file
      priority: 100
      params: { path: topology.json }

Several topologies share what is written in backends. The order of a list is the order of preference:
  backends:
    consul: { kind: consul, addresses: ["http://10.0.0.5:8500"] }
    shop: { kind: kubernetes, namespace: shop }
  topologies:
    orders: { providers: [{ backend: consul, service: orders }, { backend: shop, service: orders }] }
    billing: { providers: [{ backend: consul, service: billing }] }

Adapters for more kinds of provider are packages or files, loaded at the start:
  adapters: ["@acme/holdfast-provider-nomad", "./my-adapter.ts"]
${EXIT_CODES}`,
  validate: `
Examples:
  $ holdfast validate holdfast.yaml
  $ holdfast validate holdfast.yaml --json | jq '.error.problems[]'

Lists every problem with its line, its path, the expected and the actual value, and warns of insecure settings. It
does not connect to anything. It loads the adapters that the file names, which runs their code: use --no-adapters for a
file that you do not trust. Then only providers of built-in kinds are checked.`,
  schema: `
Examples:
  $ holdfast schema > holdfast.schema.json
  $ holdfast schema --config holdfast.yaml > holdfast.schema.json    with the kinds of its adapters
  $ holdfast schema topology > topology.schema.json

With --config it loads the adapters that the file names, which runs their code, unless --no-adapters is given.

With --config an entry that names a backend is completed with the parameters of the backend's kind.
Refer to the schema in the first line of a YAML file, and editors complete and check it while you type:
  # yaml-language-server: $schema=./holdfast.schema.json`,
  explain: `
Examples:
  $ holdfast explain node-17                        of the daemon at http://127.0.0.1:7420
  $ holdfast explain node-17 -c holdfast.yaml       of the daemon that runs with this configuration
  $ holdfast explain node-17 --topology orders      of that topology
  $ holdfast explain node-17 --url http://10.0.0.5:7420 --json

Shows which providers list the node and since when, the sequence number in the log, and the rule by which it is in, out, held or
blocked. The log is kept for log.retainedEvents events. With --config only the address is read; adapters are not loaded.`,
  providers: `
Examples:
  $ holdfast providers list --config holdfast.yaml
  $ holdfast providers add --config holdfast.yaml primary.yaml
  $ holdfast providers remove --config holdfast.yaml primary

These commands work on the store: providers.jsonl in the configuration's dataDir, or in dataDir/topologies/NAME for
--topology NAME. Without --topology, list shows all topologies. If a topology has "providers" in the configuration, they are
its set: the store is only a copy, and add and remove are refused. A running daemon adopts changes after a SIGHUP. Only add loads the adapters that the configuration names, which runs their code.`,
  add: `
Examples:
  $ holdfast providers add -c holdfast.yaml --id primary --kind file --priority 100 \\
      --params '{"path":"topology.json"}'
  $ holdfast providers add -c holdfast.yaml primary.yaml
  $ echo '{"id":"a","kind":"file","priority":1,"params":{"path":"a.json"}}' | holdfast providers add -s set.jsonl -

A relative path of a file provider starts from the current folder and is stored as an absolute path. Secrets are never stored: parameters
that need one take a reference, { "env": NAME } or { "file": PATH }.
${EXIT_CODES}`,
};
