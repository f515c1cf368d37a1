// Package dl builds and trains neural networks on GoMLX.
//
// # Shapes
//
// Shapes are written outermost axis first, one letter per axis: N batch,
// C channels, H height, W width, D features. Images are [N C H W], top row
// first.
package dl
