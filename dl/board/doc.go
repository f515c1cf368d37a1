// Package board writes what a training finds for TensorBoard, and reads it
// back.
//
// A [Writer] is torch.utils.tensorboard's SummaryWriter: the same folders,
// names and tags, so TensorBoard shows runs of both side by side. It serves a
// training run as it is:
//
//	log := board.Open("runs/cifar")
//	run := dl.Start(model, dl.Training{Data: loader, Epochs: 10, Log: log})
//
// A [Log] is a run read back from its folder, which display.Replay draws.
//
// # Files
//
// A folder is a run, and a file in it holds events: records of TFRecord, each
// with its length and two checksums, whose contents are protocol buffers of
// type tensorflow.Event. An event is written to the file at once and whole. A
// program that is killed leaves a file that ends with a whole record, or one
// that readers leave out because it is cut off.
//
// The formats are those of TensorBoard's sources:
// https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
// (event.proto, summary.proto, graph.proto) and
// https://www.tensorflow.org/tutorials/load_data/tfrecord.
package board
