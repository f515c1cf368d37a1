// Package wire carries Jupyter messages between a kernel and its clients.
//
// A [Connection] is what the client's connection file says. [Open] binds its
// five sockets as [Sockets]. A [Codec] turns the frames that they carry into a
// [Message] and back, signing what goes out and checking what comes in.
//
// # Sockets
//
// A kernel binds ROUTER, XPUB and REP sockets. Each peer has a connection of its
// own, on which go-zeromq/zmq4 speaks ZMTP 3.0 (https://rfc.zeromq.org/spec/23/)
// with the NULL mechanism, a reader, a queue and a writer, so that a client which
// stalls, vanishes or sends nonsense costs the others nothing. What a peer sends is
// checked before zmq4 reads it. zmq4's own sockets are not used, but as clients in
// this package's tests: in v0.17.0 they share one writer among all peers and accept
// one handshake at a time.
//
// # Errors
//
// [Codec.Decode] returns a [*MalformedError] for what should be logged and
// dropped. No error holds the signing key.
package wire
