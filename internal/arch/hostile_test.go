package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostile lists every format that bytes from outside come in, and the tests
// that show what wrong ones do: cut off, with bits turned, with forged sizes,
// growing without end, leading out of their folder, asking for execution; and
// the fuzz test. A dash stands where the attack does not exist: a format that
// is read from a stream has no size to forge.
var hostile = []struct {
	format, folder                        string
	cut, flipped, forged, bomb, way, runs string
	fuzz                                  string
}{
	{"safetensors", "dl/internal/tensorfile", "TestSafetensorsRefuses", "TestSafetensorsRoundTrip", "TestSafetensorsRefuses", "TestSafetensorsMemory", "-", "-", "FuzzSafetensors"},
	{"indexes of safetensors in parts", "dl/internal/tensorfile", "TestPartsErrors", "FuzzIndex", "TestPartsErrors", "-", "TestPartsErrors", "-", "FuzzIndex"},
	{"what a file is, by its first bytes", "internal/filetype", "TestCutAnywhere", "FuzzOf", "TestOf", "-", "-", "-", "FuzzOf"},
	{".pth: zip, the older format, pickle", "dl/pth", "TestCutAnywhere", "TestFlippedBits", "TestForged", "TestMemory", "-", "TestPickles", "FuzzLoad"},
	{"archives of data sets", "dl/vision/fetch", "TestArchive", "TestArchive", "TestArchive", "TestArchive", "TestArchive", "-", "FuzzUnpack"},
	{"CIFAR-10", "dl/vision", "FuzzCIFAR10", "FuzzCIFAR10", "FuzzCIFAR10", "-", "-", "-", "FuzzCIFAR10"},
	{"CIFAR-100", "dl/vision", "FuzzCIFAR100", "FuzzCIFAR100", "FuzzCIFAR100", "-", "-", "-", "FuzzCIFAR100"},
	{"CIFAR's Python version, pickle", "dl/vision", "TestPythonCIFARErrors", "FuzzPythonCIFAR", "TestPythonCIFARErrors", "-", "-", "TestPythonCIFARErrors", "FuzzPythonCIFAR"},
	{"IDX, compressed and not", "dl/vision", "TestMNISTErrors", "FuzzReadIDX", "TestMNISTErrors", "TestMNISTErrors", "-", "-", "FuzzReadIDX"},
	{"label files", "dl/vision", "TestLabelFolderErrors", "FuzzLabel", "TestLabelFolderErrors", "TestLabelFolderErrors", "-", "-", "FuzzLabel"},
	{"JPEG, PNG, GIF, WebP, BMP, TIFF, Exif", "dl/vision", "TestCutAndFlipped", "TestCutAndFlipped", "TestReadImageBomb", "TestPictureBombs", "-", "-", "FuzzOpen"},
	{"pictures as three channels", "dl/vision", "TestCutAndFlipped", "TestCutAndFlipped", "TestReadImageBomb", "TestPictureBombs", "-", "-", "FuzzReadImage"},
	{"TensorBoard's event files, Replay", "dl/board", "TestCutAnywhere", "TestCutAnywhere", "TestCutAnywhere", "-", "-", "-", "FuzzRead"},
	{"the JSON of training states", "dl", "TestKilledWhileSaving", "FuzzTrainingState", "FuzzTrainingState", "-", "-", "-", "FuzzTrainingState"},
	{"JPEG", "internal/jpeg", "TestTruncated", "FuzzDecodeJPEG", "TestFormatErrors", "TestBombs", "-", "-", "FuzzDecodeJPEG"},
	{"JPEG, of an encoder", "internal/jpeg", "TestTruncated", "FuzzEncoded", "TestFormatErrors", "TestBombs", "-", "-", "FuzzEncoded"},
	{"TIFF", "internal/tiff", "TestTruncated", "TestFlipped", "TestErrors", "TestBombs", "-", "-", "FuzzDecode"},
	{"BMP", "internal/bmp", "TestTruncated", "TestFlipped", "TestErrors", "TestBombs", "-", "-", "FuzzDecode"},
	{"GIF", "internal/gif", "TestTruncated", "TestFlipped", "TestErrors", "TestBombs", "-", "-", "FuzzDecode"},
	{"PBM, PGM, PPM, PFM", "internal/pnm", "TestTruncated", "TestFlipped", "TestErrors", "TestBombs", "-", "-", "FuzzDecode"},
	{"WebP", "internal/webp", "TestTruncated", "TestFlipped", "TestErrors", "TestBombs", "-", "-", "FuzzDecode"},
	{"TensorBoard's info files", "kernel/machine/tensorboard", "TestStrangePeers", "FuzzInfo", "-", "-", "-", "-", "FuzzInfo"},
	{"a package index", "dl/backend", "FuzzIndex", "FuzzIndex", "-", "-", "-", "-", "FuzzIndex"},
	{"notebooks", "kernel/notebook/ipynb", "TestReadErrors", "FuzzRead", "-", "-", "-", "-", "FuzzRead"},
	{"connection files", "kernel/jupyter/wire", "TestParseConnection", "FuzzConnection", "TestParseConnection", "-", "-", "-", "FuzzConnection"},
	{"ZMTP's handshake", "kernel/jupyter/wire", "TestHandshakeErrors", "FuzzHandshake", "TestHandshakeErrors", "-", "-", "-", "FuzzHandshake"},
	{"ZMTP's frames", "kernel/jupyter/wire", "TestReceiveErrors", "FuzzReceive", "TestForgedLength", "-", "-", "-", "FuzzReceive"},
	{"Jupyter's messages", "kernel/jupyter/wire", "TestDecodeErrors", "TestDecodeErrors", "TestDecodeErrors", "TestDecodeErrors", "-", "-", "FuzzDecode"},
	{"the history of inputs", "kernel/jupyter/history", "TestDamage", "FuzzOpen", "TestHugeFile", "TestFileStaysSmall", "-", "-", "FuzzOpen"},
	{"messages between kernel and host", "internal/frame", "FuzzRead", "FuzzRead", "FuzzRead", "FuzzRead", "-", "-", "FuzzRead"},
	{"packets of a remote kernel", "kernel/remote", "TestPacketErrors", "FuzzPacket", "TestPacketErrors", "-", "-", "-", "FuzzPacket"},
	{"messages of the page", "kernel/jupyter/comm", "FuzzPage", "FuzzPage", "-", "-", "-", "-", "FuzzPage"},
	{"gopls' answers", "kernel/session/assist", "FuzzReadBody", "FuzzReadBody", "FuzzReadBody", "-", "-", "-", "FuzzReadBody"},
	{"a cell's commands", "kernel/cell/gonb", "FuzzSplit", "FuzzSplit", "-", "-", "-", "-", "FuzzSplit"},
	{"a cell", "kernel/cell", "TestHalves", "TestGarbage", "-", "-", "-", "-", "FuzzCell"},
	{"a question for help", "kernel", "FuzzSplitHelp", "FuzzSplitHelp", "-", "-", "-", "-", "FuzzSplitHelp"},
}

// TestHostile finds every test of the table, and every fuzz test in the table.
func TestHostile(t *testing.T) {
	tests := map[string][]string{} // by folder
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			if err == nil && d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[filepath.ToSlash(folder)] = append(tests[filepath.ToSlash(folder)], fn.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, h := range hostile {
		listed[h.folder+" "+h.fuzz] = true
		for _, name := range []string{h.cut, h.flipped, h.forged, h.bomb, h.way, h.runs, h.fuzz} {
			if name != "-" && !slices.Contains(tests[h.folder], name) {
				t.Errorf("%s: %s has no %s", h.format, h.folder, name)
			}
		}
	}
	for folder, names := range tests {
		for _, name := range names {
			if strings.HasPrefix(name, "Fuzz") && !listed[folder+" "+name] {
				t.Errorf("%s in %s is not in the table of hostile formats; add its format", name, folder)
			}
		}
	}
}
