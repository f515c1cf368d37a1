// Command cifar trains the tutorial network on the whole of CIFAR-10, as
// bench/peers/cifar_torch.py does in PyTorch, and prints what that prints: a
// line of JSON after each epoch and one at the end.
//
//	go run ./bench/cifar -data DIR [-epochs 3] [-seeds 0,1,2] [-backend cpu]
//
// DIR holds cifar-10-batches-bin. SGD with learning rate 0.01, batch 64, pixels
// scaled to [0, 1] and nothing else; every epoch goes through a fresh shuffle,
// and its last, smaller batch is kept.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
)

type epochLine struct {
	Seed         uint64  `json:"seed"`
	Epoch        int     `json:"epoch"`
	TrainLoss    float64 `json:"train_loss"`
	TestAccuracy float64 `json:"test_accuracy"`
	Seconds      float64 `json:"seconds"` // of training and testing
}

type lastLine struct {
	Peer         string  `json:"peer"`
	Epochs       int     `json:"epochs"`
	Seeds        string  `json:"seeds"`
	AccuracyMean float64 `json:"test_accuracy_mean"`
	AccuracyMin  float64 `json:"test_accuracy_min"`
	AccuracyMax  float64 `json:"test_accuracy_max"`
}

func main() {
	log.SetFlags(0)
	data := flag.String("data", "data", "folder that holds cifar-10-batches-bin")
	epochs := flag.Int("epochs", 3, "times through the training pictures")
	seeds := flag.String("seeds", "0,1,2", "seeds, separated by commas")
	backend := flag.String("backend", "cpu", "cpu, cuda or go")
	flag.Parse()
	if err := bench(*data, *epochs, *seeds, *backend); err != nil {
		log.Fatal("cifar: ", err)
	}
}

func bench(root string, epochs int, seeds, backend string) error {
	if err := dl.Use(backend); err != nil {
		return err
	}
	train, err := vision.CIFAR10{Root: root, Train: true}.Open()
	if err != nil {
		return err
	}
	test, err := vision.CIFAR10{Root: root}.Open()
	if err != nil {
		return err
	}
	last := lastLine{Peer: "holt " + dl.Backend(), Epochs: epochs, Seeds: seeds, AccuracyMin: 1}
	list := strings.Split(seeds, ",")
	for _, s := range list {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return fmt.Errorf("seed %q: want a whole number", s)
		}
		accuracy, err := once(seed, epochs, train, test)
		if err != nil {
			return err
		}
		last.AccuracyMean += accuracy / float64(len(list))
		last.AccuracyMin = min(last.AccuracyMin, accuracy)
		last.AccuracyMax = max(last.AccuracyMax, accuracy)
	}
	return json.NewEncoder(os.Stdout).Encode(last)
}

// once trains from one seed and returns the last accuracy on test.
func once(seed uint64, epochs int, train, test *vision.Images) (float64, error) {
	dl.Seed(seed)
	model, err := dl.Build(dl.Sequential{
		dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
		dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
		dl.Conv2d{Out: 64, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
		dl.Flatten{}, dl.Linear{Out: 64}, dl.Linear{Out: 10},
	}, dl.Shape{64, 3, 32, 32})
	if err != nil {
		return 0, err
	}
	accuracy := 0.0
	run := dl.Start(model, dl.Training{
		Data:      dl.DataLoader{Dataset: train, BatchSize: 64, Shuffle: true, Seed: seed},
		Eval:      test,
		Epochs:    epochs,
		Optimizer: dl.SGD{LR: 0.01},
		OnEpoch: func(e dl.Epoch) error {
			accuracy = e.Eval.Accuracy
			return json.NewEncoder(os.Stdout).Encode(epochLine{seed, e.N, e.Train.Loss, accuracy, e.Took.Seconds()})
		},
	})
	err = run.Wait()
	return accuracy, err
}
