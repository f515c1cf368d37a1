// Package remote runs kernels on other machines over ssh.
//
//	JupyterLab ─ZeroMQ─ Proxy ─ssh─ agent ─socket─ keeper ─ZeroMQ─ kernel
//	└──────── this machine ───────┘ └────────── that machine ──────────┘
//
// [Add] installs Holt on a [Machine]. [Serve] is what Jupyter starts here in a
// kernel's place: it opens the sockets of the connection file and carries the
// messages. [Agent] is what ssh starts there: it starts a keeper, where there is
// none, and connects the line to it. [Keep] is the keeper, which goes on when the
// login ends: it starts the kernel, keeps it running while there is no line, and ends
// it when there was none for the grace period.
//
// # A cut line
//
// Proxy and keeper communicate by a [link], which numbers the messages of each
// direction and keeps them until the other side has them. When a line is cut
// the proxy makes another, each side sends the number of the last message it
// received, and what is missing is sent again. So nothing is lost and nothing is
// delivered twice; of output, as much is kept as fits [bufferLimit].
//
// # Trust
//
// What may be done is what ssh allows. The kernel's key is sent through ssh,
// and is kept there in a folder of mode 0700, together with the sockets: on that
// machine no TCP port is opened.
package remote
