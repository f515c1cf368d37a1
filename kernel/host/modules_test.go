package host_test

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// moduleTest is a module with two cells: the second uses what the first made.
type moduleTest struct {
	name  string
	small bool // is tried without HOLT_TORTURE
	add   []string
	first string
	then  string
	want  string
}

var moduleTests = []moduleTest{
	{
		name:  "parquet-go",
		add:   []string{"github.com/parquet-go/parquet-go@v0.25.1"},
		first: "import (\"bytes\"; \"github.com/parquet-go/parquet-go\")\ntype Row struct { ID int64; Name string }\nvar Buf bytes.Buffer\nfunc Run() { if err := parquet.Write(&Buf, []Row{{1, \"a\"}, {2, \"b\"}}); err != nil { panic(err) } }",
		then:  "import (\"bytes\"; \"fmt\"; \"github.com/parquet-go/parquet-go\"; \"notebook/c1\")\nfunc Run() { rows, err := parquet.Read[c1.Row](bytes.NewReader(c1.Buf.Bytes()), int64(c1.Buf.Len())); fmt.Println(rows, err) }",
		want:  "[{1 a} {2 b}] <nil>\n",
	},
	{
		name:  "modernc sqlite",
		add:   []string{"modernc.org/sqlite@v1.41.0"},
		first: "import (\"database/sql\"; _ \"modernc.org/sqlite\")\nvar DB *sql.DB\nfunc Run() { var err error; if DB, err = sql.Open(\"sqlite\", \":memory:\"); err != nil { panic(err) }; DB.SetMaxOpenConns(1); if _, err = DB.Exec(\"create table t(n); insert into t values (41)\"); err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"notebook/c1\"; _ \"modernc.org/sqlite\")\nfunc Run() { var n int; err := c1.DB.QueryRow(\"select n+1 from t\").Scan(&n); fmt.Println(n, err) }",
		want:  "42 <nil>\n",
	},
	{
		name:  "mattn sqlite3",
		add:   []string{"github.com/mattn/go-sqlite3@v1.14.28"},
		first: "import (\"database/sql\"; _ \"github.com/mattn/go-sqlite3\")\nvar DB *sql.DB\nfunc Run() { var err error; if DB, err = sql.Open(\"sqlite3\", \":memory:\"); err != nil { panic(err) }; DB.SetMaxOpenConns(1); if _, err = DB.Exec(\"create table t(n); insert into t values (41)\"); err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"notebook/c1\"; \"github.com/mattn/go-sqlite3\")\nfunc Run() { var n int; err := c1.DB.QueryRow(\"select n+1 from t\").Scan(&n); fmt.Println(n, err); _, _, _ = sqlite3.Version() }",
		want:  "42 <nil>\n",
	},
	{
		name:  "gonum mat and stat",
		add:   []string{"gonum.org/v1/gonum/mat@v0.16.0", "gonum.org/v1/gonum/stat@v0.16.0"},
		first: "import \"gonum.org/v1/gonum/mat\"\nvar A = mat.NewDense(2, 2, []float64{2, 0, 0, 4})\nfunc Run() { var inv mat.Dense; if err := inv.Inverse(A); err != nil { panic(err) }; A = &inv }",
		then:  "import (\"fmt\"; \"gonum.org/v1/gonum/mat\"; \"gonum.org/v1/gonum/stat\"; \"notebook/c1\")\nfunc Run() { var p mat.Dense; p.Mul(c1.A, c1.A); fmt.Println(p.At(0, 0), p.At(1, 1), stat.Mean([]float64{1, 2, 3}, nil)) }",
		want:  "0.25 0.0625 2\n",
	},
	{
		name:  "gonum plot",
		add:   []string{"gonum.org/v1/plot@v0.16.0", "gonum.org/v1/plot/plotter@v0.16.0"},
		first: "import (\"gonum.org/v1/plot\"; \"gonum.org/v1/plot/plotter\")\nvar P = plot.New()\nfunc Run() { l, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 2}}); if err != nil { panic(err) }; P.Add(l) }",
		then:  "import (\"bytes\"; \"fmt\"; \"notebook/c1\")\nfunc Run() { w, err := c1.P.WriterTo(200, 100, \"png\"); if err != nil { panic(err) }; var b bytes.Buffer; _, err = w.WriteTo(&b); fmt.Println(b.Len() > 500, err) }",
		want:  "true <nil>\n",
	},
	{
		name:  "arrow",
		add:   []string{"github.com/apache/arrow-go/v18/arrow@v18.4.0", "github.com/apache/arrow-go/v18/arrow/array@v18.4.0", "github.com/apache/arrow-go/v18/arrow/memory@v18.4.0", "github.com/apache/arrow-go/v18/arrow/compute@v18.4.0", "github.com/apache/arrow-go/v18/parquet/pqarrow@v18.4.0"},
		first: "import (\"github.com/apache/arrow-go/v18/arrow/array\"; \"github.com/apache/arrow-go/v18/arrow/memory\")\nvar A *array.Int64\nfunc Run() { b := array.NewInt64Builder(memory.DefaultAllocator); b.AppendValues([]int64{1, 2, 3}, nil); A = b.NewInt64Array() }",
		then:  "import (\"context\"; \"fmt\"; \"github.com/apache/arrow-go/v18/arrow/compute\"; \"github.com/apache/arrow-go/v18/parquet/pqarrow\"; \"notebook/c1\")\nfunc Run() { r, err := compute.Add(context.Background(), compute.ArithmeticOptions{}, compute.NewDatum(c1.A), compute.NewDatum(c1.A)); fmt.Println(r.(*compute.ArrayDatum).MakeArray(), err, pqarrow.DefaultWriterProps() != pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema())) }",
		want:  "[2 4 6] <nil> true\n",
	},
	{
		name:  "grpc",
		add:   []string{"google.golang.org/grpc@v1.73.0", "google.golang.org/grpc/health@v1.73.0", "google.golang.org/grpc/health/grpc_health_v1@v1.73.0", "google.golang.org/grpc/credentials/insecure@v1.73.0"},
		first: "import (\"net\"; \"google.golang.org/grpc\"; \"google.golang.org/grpc/health\"; pb \"google.golang.org/grpc/health/grpc_health_v1\")\nvar L net.Listener\nfunc Run() { var err error; if L, err = net.Listen(\"tcp\", \"127.0.0.1:0\"); err != nil { panic(err) }; s := grpc.NewServer(); pb.RegisterHealthServer(s, health.NewServer()); go s.Serve(L) }",
		then:  "import (\"context\"; \"fmt\"; \"google.golang.org/grpc\"; \"google.golang.org/grpc/credentials/insecure\"; pb \"google.golang.org/grpc/health/grpc_health_v1\"; \"notebook/c1\")\nfunc Run() { c, err := grpc.NewClient(c1.L.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())); if err != nil { panic(err) }; r, err := pb.NewHealthClient(c).Check(context.Background(), &pb.HealthCheckRequest{}); fmt.Println(r.GetStatus(), err) }",
		want:  "SERVING <nil>\n",
	},
	{
		name:  "protobuf",
		add:   []string{"google.golang.org/protobuf/proto@v1.36.6", "google.golang.org/protobuf/types/known/structpb@v1.36.6"},
		first: "import (\"google.golang.org/protobuf/proto\"; \"google.golang.org/protobuf/types/known/structpb\")\nvar B []byte\nfunc Run() { v, err := structpb.NewStruct(map[string]any{\"k\": 1.5}); if err != nil { panic(err) }; B, err = proto.Marshal(v); if err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"google.golang.org/protobuf/proto\"; \"google.golang.org/protobuf/types/known/structpb\"; \"notebook/c1\")\nfunc Run() { var v structpb.Struct; err := proto.Unmarshal(c1.B, &v); fmt.Println(v.Fields[\"k\"].GetNumberValue(), err) }",
		want:  "1.5 <nil>\n",
	},
	{
		name:  "zap",
		add:   []string{"go.uber.org/zap@v1.27.0"},
		first: "import \"go.uber.org/zap\"\nvar L *zap.Logger\nfunc Run() { L = zap.NewExample() }",
		then:  "import (\"go.uber.org/zap\"; \"notebook/c1\")\nfunc Run() { c1.L.Info(\"hi\", zap.Int(\"n\", 1)) }",
		want:  "{\"level\":\"info\",\"msg\":\"hi\",\"n\":1}\n",
	},
	{
		name:  "zerolog",
		add:   []string{"github.com/rs/zerolog@v1.34.0"},
		first: "import (\"os\"; \"github.com/rs/zerolog\")\nvar L = zerolog.New(os.Stdout)\nfunc Run() {}",
		then:  "import \"notebook/c1\"\nfunc Run() { c1.L.Info().Int(\"n\", 1).Msg(\"hi\") }",
		want:  "{\"level\":\"info\",\"n\":1,\"message\":\"hi\"}\n",
	},
	{
		name:  "logrus",
		add:   []string{"github.com/sirupsen/logrus@v1.9.3"},
		first: "import (\"os\"; \"github.com/sirupsen/logrus\")\nvar L = logrus.New()\nfunc Run() { L.SetOutput(os.Stdout); L.SetFormatter(&logrus.JSONFormatter{DisableTimestamp: true}) }",
		then:  "import (\"github.com/sirupsen/logrus\"; \"notebook/c1\")\nfunc Run() { c1.L.WithFields(logrus.Fields{\"n\": 1}).Info(\"hi\") }",
		want:  "{\"level\":\"info\",\"msg\":\"hi\",\"n\":1}\n",
	},
	{
		name:  "prometheus",
		add:   []string{"github.com/prometheus/client_golang/prometheus@v1.22.0"},
		first: "import \"github.com/prometheus/client_golang/prometheus\"\nvar R = prometheus.NewRegistry()\nvar C = prometheus.NewCounterVec(prometheus.CounterOpts{Name: \"n\", Help: \"h\"}, []string{\"l\"})\nfunc Run() { R.MustRegister(C); C.WithLabelValues(\"x\").Add(2) }",
		then:  "import (\"fmt\"; \"notebook/c1\")\nfunc Run() { c1.C.WithLabelValues(\"x\").Inc(); m, err := c1.R.Gather(); fmt.Println(m[0].GetMetric()[0].GetCounter().GetValue(), err) }",
		want:  "3 <nil>\n",
	},
	{
		name:  "gin",
		add:   []string{"github.com/gin-gonic/gin@v1.10.1"},
		first: "import \"github.com/gin-gonic/gin\"\nvar R *gin.Engine\nfunc Run() { gin.SetMode(gin.ReleaseMode); R = gin.New(); R.GET(\"/a/:n\", func(c *gin.Context) { c.JSON(200, gin.H{\"n\": c.Param(\"n\")}) }) }",
		then:  "import (\"fmt\"; \"net/http/httptest\"; \"notebook/c1\")\nfunc Run() { w := httptest.NewRecorder(); c1.R.ServeHTTP(w, httptest.NewRequest(\"GET\", \"/a/7\", nil)); fmt.Println(w.Code, w.Body) }",
		want:  "200 {\"n\":\"7\"}\n",
	},
	{
		name:  "go-echarts",
		add:   []string{"github.com/go-echarts/go-echarts/v2/charts@v2.6.0", "github.com/go-echarts/go-echarts/v2/opts@v2.6.0"},
		first: "import \"github.com/go-echarts/go-echarts/v2/charts\"\nvar B = charts.NewBar()\nfunc Run() { B.SetXAxis([]string{\"a\"}) }",
		then:  "import (\"bytes\"; \"fmt\"; \"github.com/go-echarts/go-echarts/v2/opts\"; \"notebook/c1\")\nfunc Run() { c1.B.AddSeries(\"s\", []opts.BarData{{Value: 3}}); var b bytes.Buffer; err := c1.B.Render(&b); fmt.Println(b.Len() > 500, err) }",
		want:  "true <nil>\n",
	},
	{
		name:  "cobra",
		add:   []string{"github.com/spf13/cobra@v1.9.1"},
		first: "import (\"fmt\"; \"github.com/spf13/cobra\")\nvar C = &cobra.Command{Use: \"x\", RunE: func(c *cobra.Command, args []string) error { fmt.Println(args); return nil }}\nfunc Run() { C.SetArgs([]string{\"a\", \"b\"}) }",
		then:  "import \"notebook/c1\"\nfunc Run() { if err := c1.C.Execute(); err != nil { panic(err) } }",
		want:  "[a b]\n",
	},
	{
		name:  "yaml",
		add:   []string{"gopkg.in/yaml.v3@v3.0.1"},
		first: "import \"gopkg.in/yaml.v3\"\ntype T struct { A int; B []string }\nvar V T\nfunc Run() { if err := yaml.Unmarshal([]byte(\"a: 1\\nb: [x, y]\"), &V); err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"gopkg.in/yaml.v3\"; \"notebook/c1\")\nfunc Run() { b, err := yaml.Marshal(c1.V); fmt.Printf(\"%q %v\\n\", b, err) }",
		want:  "\"a: 1\\nb:\\n    - x\\n    - \\\"y\\\"\\n\" <nil>\n",
	},
	{
		name:  "testify",
		add:   []string{"github.com/stretchr/testify/assert@v1.10.0"},
		first: "import \"github.com/stretchr/testify/assert\"\ntype T struct{}\nfunc (T) Errorf(string, ...any) {}\nvar A *assert.Assertions\nfunc Run() { A = assert.New(T{}) }",
		then:  "import (\"fmt\"; \"github.com/stretchr/testify/assert\"; \"notebook/c1\")\nfunc Run() { fmt.Println(c1.A.Equal([]int{1}, []int{1}), assert.Contains(c1.T{}, \"abc\", \"z\")) }",
		want:  "true false\n",
	},
	{
		name:  "klauspost compress",
		add:   []string{"github.com/klauspost/compress/zstd@v1.18.0", "github.com/klauspost/compress/s2@v1.18.0"},
		first: "import \"github.com/klauspost/compress/zstd\"\nvar B []byte\nfunc Run() { e, err := zstd.NewWriter(nil); if err != nil { panic(err) }; B = e.EncodeAll(make([]byte, 100000), nil) }",
		then:  "import (\"fmt\"; \"github.com/klauspost/compress/s2\"; \"github.com/klauspost/compress/zstd\"; \"notebook/c1\")\nfunc Run() { d, err := zstd.NewReader(nil); if err != nil { panic(err) }; b, err := d.DecodeAll(c1.B, nil); c, err2 := s2.Decode(nil, s2.Encode(nil, b)); fmt.Println(len(b), err, len(c), err2) }",
		want:  "100000 <nil> 100000 <nil>\n",
	},
	{
		name: "xxhash", small: true,
		add:   []string{"github.com/cespare/xxhash/v2@v2.3.0"},
		first: "import \"github.com/cespare/xxhash/v2\"\nvar D = xxhash.New()\nfunc Run() { D.WriteString(\"hello, \") }",
		then:  "import (\"fmt\"; \"github.com/cespare/xxhash/v2\"; \"notebook/c1\")\nfunc Run() { c1.D.WriteString(\"world\"); fmt.Println(c1.D.Sum64() == xxhash.Sum64String(\"hello, world\")) }",
		want:  "true\n",
	},
	{
		name:  "blake3",
		add:   []string{"github.com/zeebo/blake3@v0.2.4"},
		first: "import \"github.com/zeebo/blake3\"\nvar H = blake3.New()\nfunc Run() { H.Write(make([]byte, 100000)) }",
		then:  "import (\"fmt\"; \"github.com/zeebo/blake3\"; \"notebook/c1\")\nfunc Run() { s := blake3.Sum256(make([]byte, 100000)); fmt.Println(string(c1.H.Sum(nil)) == string(s[:])) }",
		want:  "true\n",
	},
	{
		name: "onnxruntime", small: true,
		add:   []string{"github.com/yalue/onnxruntime_go@v1.21.0"},
		first: "import ort \"github.com/yalue/onnxruntime_go\"\nvar S = ort.NewShape(1, 2)\nfunc Run() { ort.SetSharedLibraryPath(\"/none.so\") }",
		then:  "import (\"fmt\"; ort \"github.com/yalue/onnxruntime_go\"; \"notebook/c1\")\nfunc Run() { fmt.Println(c1.S, ort.InitializeEnvironment() != nil) }",
		want:  "[1 2] true\n",
	},
	{
		name:  "go-huggingface",
		add:   []string{"github.com/gomlx/go-huggingface/hub@v0.4.2"},
		first: "import \"github.com/gomlx/go-huggingface/hub\"\nvar R *hub.Repo\nfunc Run() { R = hub.New(\"a/b\") }",
		then:  "import (\"fmt\"; \"notebook/c1\")\nfunc Run() { fmt.Println(c1.R.ID) }",
		want:  "a/b\n",
	},
	{
		name: "uuid", small: true,
		add:   []string{"github.com/google/uuid@v1.6.0"},
		first: "import \"github.com/google/uuid\"\nvar U uuid.UUID\nfunc Run() { U = uuid.NewSHA1(uuid.NameSpaceURL, []byte(\"x\")) }",
		then:  "import (\"fmt\"; \"github.com/google/uuid\"; \"notebook/c1\")\nfunc Run() { fmt.Println(uuid.Parse(c1.U.String())) }",
		want:  "4cd605e7-afa2-5360-b5b9-c5e9fb5c76f4 <nil>\n",
	},
	{
		name:  "lo and go-cmp",
		add:   []string{"github.com/samber/lo@v1.51.0", "github.com/google/go-cmp/cmp@v0.7.0"},
		first: "import \"github.com/samber/lo\"\ntype T struct{ N int }\nvar V = lo.Map([]int{1, 2}, func(n, _ int) T { return T{n} })\nfunc Run() {}",
		then:  "import (\"fmt\"; \"github.com/google/go-cmp/cmp\"; \"github.com/samber/lo\"; \"notebook/c1\")\nfunc Run() { fmt.Println(lo.SumBy(c1.V, func(t c1.T) int { return t.N }), cmp.Equal(c1.V, []c1.T{{1}, {2}})) }",
		want:  "3 true\n",
	},
	{
		name:  "purego",
		add:   []string{"github.com/ebitengine/purego@v0.8.4"},
		first: "import \"github.com/ebitengine/purego\"\nvar Strlen func(string) int\nfunc Run() { lib, err := purego.Dlopen(\"libc.so.6\", purego.RTLD_NOW); if err != nil { panic(err) }; purego.RegisterLibFunc(&Strlen, lib, \"strlen\") }",
		then:  "import (\"fmt\"; \"github.com/ebitengine/purego\"; \"notebook/c1\")\nfunc Run() { cb := purego.NewCallback(func(n int) int { return n + 1 }); var back func(int) int; purego.RegisterFunc(&back, cb); fmt.Println(c1.Strlen(\"hello\"), back(6)) }",
		want:  "5 7\n",
	},
	{
		name: "go-json", small: true,
		add:   []string{"github.com/goccy/go-json@v0.10.5"},
		first: "import \"github.com/goccy/go-json\"\ntype T struct { A int `json:\"a\"`; M map[string][]int }\nvar V T\nfunc Run() { if err := json.Unmarshal([]byte(`{\"a\":1,\"M\":{\"k\":[1,2]}}`), &V); err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"github.com/goccy/go-json\"; \"notebook/c1\")\nfunc Run() { b, err := json.Marshal(c1.V); fmt.Println(string(b), err) }",
		want:  "{\"a\":1,\"M\":{\"k\":[1,2]}} <nil>\n",
	},
	{
		name:  "sonic",
		add:   []string{"github.com/bytedance/sonic@v1.15.0"},
		first: "import \"github.com/bytedance/sonic\"\ntype T struct { A int `json:\"a\"`; M map[string][]int }\nvar V T\nfunc Run() { if err := sonic.Unmarshal([]byte(`{\"a\":1,\"M\":{\"k\":[1,2]}}`), &V); err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"github.com/bytedance/sonic\"; \"notebook/c1\")\nfunc Run() { b, err := sonic.Marshal(c1.V); fmt.Println(string(b), err) }",
		want:  "{\"a\":1,\"M\":{\"k\":[1,2]}} <nil>\n",
	},
	{
		name:  "pgx",
		add:   []string{"github.com/jackc/pgx/v5@v5.7.5"},
		first: "import \"github.com/jackc/pgx/v5\"\nvar C *pgx.ConnConfig\nfunc Run() { var err error; if C, err = pgx.ParseConfig(\"postgres://u@h/d\"); err != nil { panic(err) } }",
		then:  "import (\"fmt\"; \"github.com/jackc/pgx/v5\"; \"notebook/c1\")\nfunc Run() { fmt.Println(c1.C.Database, pgx.Identifier{\"a\", \"b\"}.Sanitize()) }",
		want:  "d \"a\".\"b\"\n",
	},
}

// moduleWorld opens a small world that also holds what servers need, so that the
// modules are what is compiled. It is shared by tests, runs too.
func moduleWorld(t *testing.T) *build.World {
	t.Helper()
	hosttest.World(t)
	src, err := hosttest.Source(map[string]string{"cmd/holt-host/net.go": "package main\n\nimport _ \"net/http\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := hosttest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// addModule requires the row's modules and makes what its cells import known. It
// reports whether the modules can be had.
func (m moduleTest) addModule(t *testing.T, w *build.World) bool {
	t.Helper()
	_, err := w.Add(context.Background(), append(imports(t, m.first, m.then), m.add...))
	if errors.Is(err, build.ErrOffline) {
		return false
	}
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	return true
}

// run runs the row's cells.
func (m moduleTest) run(t *testing.T, h *hosttest.Host) {
	t.Helper()
	h.Must(m.first)
	made := fmt.Sprintf("c%d", h.Count())
	then := strings.NewReplacer(`"notebook/c1"`, strconv.Quote("notebook/"+made), "c1.", made+".").Replace(m.then)
	if got := h.Must(then); got != m.want {
		t.Errorf("%s: got %q, want %q", m.name, got, m.want)
	}
}

// torture reports whether the tests that take minutes are asked for.
func torture() bool { return os.Getenv("HOLT_TORTURE") != "" }

// TestModules imports popular modules in cells, every plugin of which has to be bound
// to the host: some small ones, or all of the table with HOLT_TORTURE=1.
func TestModules(t *testing.T) {
	t.Setenv("HOLT_LINK", "bound")
	for _, m := range moduleTests {
		if !m.small && !torture() {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			w := moduleWorld(t)
			if !m.addModule(t, w) {
				t.Skip("no network, and the module cache lacks " + strings.Join(m.add, ", "))
			}
			m.run(t, hosttest.StartIn(t, w, proc.Options{}))
		})
	}
}

// TestModulesTogether has all modules in one process, whose plugins share packages.
func TestModulesTogether(t *testing.T) {
	if !torture() {
		t.Skip("HOLT_TORTURE=1 asks for it")
	}
	t.Setenv("HOLT_LINK", "bound")
	w := moduleWorld(t)
	var rows []moduleTest
	for _, m := range moduleTests {
		if m.addModule(t, w) {
			rows = append(rows, m)
		}
	}
	h := hosttest.StartIn(t, w, proc.Options{})
	for _, m := range rows {
		m.run(t, h)
	}
	if len(rows) < len(moduleTests) {
		t.Skipf("no network, and the module cache holds %d of %d modules", len(rows), len(moduleTests))
	}
}

// imports returns what the cells import, other cells aside.
func imports(t *testing.T, cells ...string) (paths []string) {
	t.Helper()
	for _, text := range cells {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package c\n"+text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Imports {
			if path, err := strconv.Unquote(s.Path.Value); err == nil && !strings.HasPrefix(path, "notebook/") {
				paths = append(paths, path)
			}
		}
	}
	return paths
}
