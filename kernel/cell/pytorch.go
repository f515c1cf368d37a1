package cell

// These are PyTorch's words, and what is written here for them.

// members are what PyTorch's objects have and ours have not, by the receiver's
// type; "" is any type of dl. $x is the receiver as the cell has it.
var members = map[string]map[string]string{
	"dl.Model": {
		"forward": "$x.Call(x) runs the model, $x.Predict(x) in evaluation mode", "Forward": "$x.Call(x) runs the model, $x.Predict(x) in evaluation mode",
		"parameters":       "an optimizer takes the model itself: dl.Adam{LR: 1e-3}.For($x); $x.Names() and $x.Param(name) are its parameters",
		"Parameters":       "an optimizer takes the model itself: dl.Adam{LR: 1e-3}.For($x); $x.Names() and $x.Param(name) are its parameters",
		"named_parameters": "$x.StateDict() has all by their names",
		"cuda":             `$x.To("cuda") moves it; dl.Use("cuda") does so for all`,
		"fit":              "run := dl.Start($x, dl.Training{Data: loader, Epochs: 10}) trains in the background",
		"compile":          "leave it out: programs are compiled by themselves",
		"apply":            "dl.Apply($x, func(name string, p *dl.Tensor) { p.Init(dl.XavierUniform) }) starts the parameters anew; $x.Param(name).Set(tensor) sets one",
	},
	"dl.Tensor": {
		"cuda": `$x.To("cuda") moves it; models and tensors move by themselves when they are used`,
		"cpu":  "$x.Float32s() has its numbers, wherever they lie", "numpy": "$x.Float32s() has its numbers", "tolist": "$x.Float32s() has its numbers",
		"size": "$x.Shape() is its shape, $x.Size() how many numbers it has",
		"dim":  "len($x.Shape()) is the number of axes", "ndim": "len($x.Shape()) is the number of axes", "numel": "write $x.Size()",
		"view": "write $x.Reshape(…)", "View": "write $x.Reshape(…)", "T": "write $x.Transpose(1, 0)", "t": "write $x.Transpose(1, 0)", "permute": "$x.Transpose(…) names every axis", "mm": "write $x.MatMul(y)",
		"std": "write $x.Var().Sqrt()", "norm": "write $x.Square().Sum().Sqrt()",
		"grad":          "$x.Grad() is the gradient that Backward found",
		"requires_grad": "$x.RequiresGrad() asks for a gradient", "requires_grad_": "$x.RequiresGrad() asks for a gradient",
		"detach": "write $x.Detach()", "clone": "leave it out: a tensor never changes", "contiguous": "leave it out: tensors always are",
		"backward": "write $x.Backward()",
	},
	"": {"step": trainStep, "Step": trainStep, "zero_grad": trainStep, "ZeroGrad": trainStep, "backward": trainStep, "Backward": trainStep},
}

// elsewhere are functions of PyTorch, by their names in torch and its packages
// or after "dl.", and names that stand alone.
var elsewhere = map[string]string{
	"no_grad": noGrad, "inference_mode": noGrad,
	"cuda":   `dl.CUDAAvailable() tells whether there is a GPU, dl.Devices() lists all`,
	"device": `dl.Use("cuda") chooses the device for all that follows`,
	"tensor": fromSlice, "Tensor": fromSlice, "as_tensor": fromSlice, "from_numpy": fromSlice, "FromNumpy": fromSlice,
	"zeros": filled, "ones": filled, "full": filled, "empty": filled, "arange": filled, "linspace": filled, "eye": filled,
	"Zeros": filled, "Ones": filled, "Full": filled, "Arange": filled, "zeros_like": filled, "ones_like": filled,
	"rand": drawn, "randn": drawn, "Rand": drawn, "Randn": drawn, "randint": drawn, "randperm": "rand.Perm(n) has the numbers 0 to n-1 in random order",
	"manual_seed": "write dl.Seed(1)",
	"save":        `write model.Save("net.safetensors")`, "load": `write model.Load("net.safetensors"); models.Load(model, path) reads .pth files`,
	"Module": "a module is a struct with a method Forward(x *dl.Tensor) *dl.Tensor",
	"relu":   "write x.ReLU()", "sigmoid": "write x.Sigmoid()", "softmax": "write x.Softmax(1)", "flatten": "write x.Flatten()", "max_pool2d": "write x.MaxPool2d(dl.MaxPool2d{Kernel: 2})",
	"cross_entropy": "write scores.CrossEntropy(labels)", "mse_loss": "write output.Loss(dl.MSELoss{}, target)", "matmul": "write x.MatMul(y)",
	"Image":         "vision.Open(path) opens a picture",
	"SummaryWriter": `write board.Open("runs/a")`,
	"imshow":        "display.Image(x) shows a picture", "plot": "display.Figure draws lines, display.LivePlot lines that grow", "show": "leave it out: a cell's last line is shown",
	"next": "loader.First() is the first batch", "iter": "loader.First() is the first batch",
	"tqdm":       "for x := range display.Progress(slices.Values(xs), len(xs)) has a bar; a run has its own: display.Live(run)",
	"isinstance": "a type is asked for by v, ok := x.(T)", "enumerate": "write for i, x := range xs", "summary": "write model.Summary()",
}

const (
	fromSlice = "dl.FromSlice([]float32{1, 2, 3, 4}, 2, 2) makes a tensor of numbers and a shape"
	filled    = "fill a slice and give it a shape: dl.FromSlice(make([]float32, 3*4), 3, 4)"
	drawn     = "fill a slice by rand.Float32() or rand.NormFloat64(), and give it a shape: dl.FromSlice(values, 3, 4)"
)
