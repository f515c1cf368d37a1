// Package wire carries Jupyter messages between a kernel and its clients.
//
// A [Connection] is what the client's connection file says. [Open] binds its
// five sockets as [Sockets]. A [Codec] turns the frames that they carry into a
// [Message] and back, signing what goes out and checking what comes in.
//
// # Sockets
//
// The package speaks ZMTP 3.0 (https://rfc.zeromq.org/spec/23/) with the NULL
// mechanism itself, and does no more of ZeroMQ than a kernel needs: it binds
// ROUTER, XPUB and REP sockets. Every peer has its own reader, its own queue
// and its own writer, so that a client which stalls, vanishes or sends
// nonsense costs the others nothing. The sockets of go-zeromq/zmq4 v0.17.0
// share one writer among all peers, accept one handshake at a time and panic
// on forged lengths; its sockets are the clients in this package's tests.
//
// # Errors
//
// [Codec.Decode] returns a [*MalformedError] for what should be logged and
// dropped. No error holds the signing key.
package wire
