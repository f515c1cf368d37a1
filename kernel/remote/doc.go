// Package remote runs kernels on other machines over ssh.
//
//	JupyterLab ─ZeroMQ─ Proxy ─ssh─ agent ─socket─ keeper ─ZeroMQ─ kernel
//	└──────── this machine ───────┘ └────────── that machine ──────────┘
//
// [Add] installs Holt on a [Machine]. [Proxy] is what Jupyter starts here in a
// kernel's place: it opens the sockets of the connection file and carries the
// messages. [Agent] is what ssh starts there: it joins the line to a keeper and
// starts that first. [Keep] is the keeper, which belongs to no login: it starts
// the kernel, holds it while there is no line, and ends it when there was none
// for the grace period.
//
// # A cut line
//
// Proxy and keeper speak by a [link], which numbers the messages of each
// direction and keeps them until the other side has them. When a line is cut
// the proxy makes another, each side says how far it came, and what is missing
// is sent again. So nothing is lost and nothing comes twice; of output, as much
// is kept as fits [bufferLimit].
//
// # Trust
//
// What may be done is what ssh allows. The kernel's key crosses inside ssh, and
// lies there in a folder of mode 0700, together with the sockets: on that
// machine no TCP port is opened.
package remote
