//go:build !amd64

package small

func processorVectors() vectors { return vectors{} }
