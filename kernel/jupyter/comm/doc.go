// Package comm connects what runs in cells with the notebook page.
//
// A [Message] is one of Jupyter's comm messages. A [Page] is the kernel's side
// of GoNB's widgets and of package gonbui/comms: values go to and come from
// addresses, which are strings such as "/button/1a2b".
//
// # In the page
//
// The script page.js defines globalThis.gonb_comm, which the scripts of GoNB's
// widgets call: send, subscribe, unsubscribe, newSyncedVariable and close. It
// reaches the kernel through a WebSocket of the Jupyter server that the page
// came from, found by the page's own configuration, so that a base URL, a
// token, https and a proxy are no obstacle: see server.js, which package live
// has too. A page without a Jupyter server, such as one in VS Code, has no way
// to the kernel.
//
// # On the wire
//
// The page opens a comm with target "gonb_comm"; data of its messages is
// {"address": …, "value": …}. Addresses that begin with # are the protocol's:
//
//	#comm_open_ack    kernel → page   the comm is open
//	#hello            page → kernel   the script has run, and may be erased
//	#heartbeat/ping   either way      answered by #heartbeat/pong
//	#read             kernel → page   send the variable whose address is the value
//
// Several pages may show one notebook: each has a comm, and all get what cells
// send.
package comm
