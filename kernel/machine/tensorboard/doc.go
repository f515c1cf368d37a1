// Package tensorboard shows TensorBoard in a notebook.
//
// A [Request] is what a line %tensorboard asks for; [Parse] reads it. [Servers.Serve]
// answers it with a [Server]: one that runs already and shows the same, or a
// new one, which lives no longer than the kernel. [Server.Bundle] is what the
// notebook shows of it.
//
// # Peers
//
// TensorBoards find each other by files: while one serves, pid-N.info lies in
// the folder .tensorboard-info of the temporary folder, and says where it
// serves, and how it was started. Python's %tensorboard looks there too, so a
// TensorBoard that was started here is reused there, and the other way round. The
// format is that of TensorBoard 2.21:
// https://github.com/tensorflow/tensorboard/blob/2.21.0/tensorboard/manager.py.
package tensorboard
