//go:build cgo && unix

package pjrt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/collective"
	"github.com/holt-dl/holt/internal/launch"
	"github.com/holt-dl/holt/internal/plugins"
)

// jobSource is a plugin in C, by go-xla's header: two devices in each process, which learn of
// those of the others by keys, as CUDA's do, and whose only program adds up its input over all
// devices, by keys, too.
const jobSource = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pjrt_c_api.h"
struct PJRT_Error { char text[600]; int code; };
struct PJRT_Client { PJRT_Client_Create_Args a; int node, nodes; };
struct PJRT_DeviceDescription { int id, process; char text[100]; };
struct PJRT_Device { struct PJRT_DeviceDescription d; bool here; };
struct PJRT_Buffer { float x; int64_t n; };
struct PJRT_Executable { int unused; };
struct PJRT_LoadedExecutable { int runs; };
struct PJRT_Event { int waited; };
static struct PJRT_Client client;
static struct PJRT_Device devices[32], *list[32];
static struct PJRT_Executable executable;
static struct PJRT_LoadedExecutable loaded;
static int buffers, events;
static PJRT_Error *bad(const char *text) { PJRT_Error *e = calloc(1, sizeof *e); snprintf(e->text, sizeof e->text, "INTERNAL: %s", text); return e; }
static PJRT_Error *made(PJRT_Error_Code code, const char *text, size_t n) { PJRT_Error *e = calloc(1, sizeof *e); e->code = code; snprintf(e->text, sizeof e->text, "code %d: %.*s", code, (int)n, text); return e; }
static PJRT_CallbackError make = made;
#define CHECK(type) if (a->struct_size != type##_STRUCT_SIZE) return bad("wrong size of " #type)
#define CHECK_ONE(of) if (of) { PJRT_Error *e_ = of; return e_; }
static void destroy(PJRT_Error_Destroy_Args *a) { free(a->error); }
static void message(PJRT_Error_Message_Args *a) { a->message = a->error->text; a->message_size = strlen(a->message); }
static PJRT_Error *initialize(PJRT_Plugin_Initialize_Args *a) { CHECK(PJRT_Plugin_Initialize_Args); return 0; }
static PJRT_Error *put(const char *key, const char *value, size_t n) {
	PJRT_KeyValuePutCallback_Args a = {PJRT_KeyValuePutCallback_Args_STRUCT_SIZE, 0, key, strlen(key), value, n, &make, client.a.kv_put_user_arg};
	return client.a.kv_put_callback(&a);
}
static PJRT_Error *get(const char *key, int ms, char *to, size_t room, size_t *n) {
	PJRT_KeyValueGetCallback_Args a = {PJRT_KeyValueGetCallback_Args_STRUCT_SIZE, 0, key, strlen(key), ms, &make, client.a.kv_get_user_arg};
	PJRT_Error *e = client.a.kv_get_callback(&a);
	if (e) return e;
	*n = a.value_size;
	memcpy(to, a.value, a.value_size < room ? a.value_size : room);
	a.value_deleter_callback(a.value);
	return 0;
}
static PJRT_Error *create(PJRT_Client_Create_Args *a) {
	CHECK(PJRT_Client_Create_Args);
	client.a = *a;
	for (size_t i = 0; i < a->num_options; i++) {
		const PJRT_NamedValue *o = a->create_options + i;
		if (o->struct_size != PJRT_NamedValue_STRUCT_SIZE) return bad("wrong size of PJRT_NamedValue");
#define IS(n) (o->name_size == strlen(n) && !strncmp(o->name, n, o->name_size))
		if (IS("node_id") && o->type == PJRT_NamedValue_kInt64) client.node = o->int64_value;
		else if (IS("num_nodes") && o->type == PJRT_NamedValue_kInt64) client.nodes = o->int64_value;
		else if (IS("allocator") && o->type == PJRT_NamedValue_kString && o->value_size == 3 && !strncmp(o->string_value, "bfc", 3)) ;
		else if (IS("memory_fraction") && o->type == PJRT_NamedValue_kFloat && o->float_value == 0.5f) ;
		else if (IS("preallocate") && o->type == PJRT_NamedValue_kBool && o->bool_value) ;
		else return bad("unknown option");
	}
	char key[64], value[300]; size_t n; PJRT_Error *e;
	PJRT_KeyValueTryGetCallback_Args t = {PJRT_KeyValueTryGetCallback_Args_STRUCT_SIZE, 0, "none", 4, &make, a->kv_try_get_user_arg};
	e = a->kv_try_get_callback(&t);
	if (!e || e->code != PJRT_Error_Code_NOT_FOUND) return bad("a key that is not there is found");
	free(e);
	e = get("none", 50, value, sizeof value, &n);
	if (!e || e->code != PJRT_Error_Code_DEADLINE_EXCEEDED) return e ? e : bad("a key that is not there is waited for and found");
	if (getenv("FAKE_LIMIT")) return e;
	free(e);
	if (getenv("FAKE_FAILS")) return bad("no GPU is here");
	if (getenv("FAKE_ENDS")) _exit(3);
	usleep(100000 * client.node); // the others wait
	snprintf(key, sizeof key, "topology/%d", client.node);
	snprintf(value, sizeof value, "devices of node %d", client.node);
	CHECK_ONE(put(key, value, strlen(value) + 1));
	for (int i = 0; i < client.nodes; i++) {
		snprintf(key, sizeof key, "topology/%d", i);
		CHECK_ONE(get(key, 20000, value, sizeof value, &n));
		for (int k = 2 * i; k < 2 * i + 2; k++) {
			devices[k].d.id = 100 + k; devices[k].d.process = i; devices[k].here = i == client.node;
			snprintf(devices[k].d.text, sizeof devices[k].d.text, "%d of %.60s", k, value);
			list[k] = &devices[k];
		}
	}
	t.key = "topology/0"; t.key_size = 10;
	CHECK_ONE(a->kv_try_get_callback(&t));
	if (strcmp(t.value, "devices of node 0")) return bad("another value");
	t.value_deleter_callback(t.value);
	a->client = &client;
	return 0;
}
static PJRT_Error *end(PJRT_Client_Destroy_Args *a) { CHECK(PJRT_Client_Destroy_Args); return 0; }
static PJRT_Error *all(PJRT_Client_Devices_Args *a) { CHECK(PJRT_Client_Devices_Args); a->devices = (PJRT_Device *const *)list; a->num_devices = 2 * client.nodes; return 0; }
static PJRT_Error *describe(PJRT_Device_GetDescription_Args *a) { CHECK(PJRT_Device_GetDescription_Args); a->device_description = &a->device->d; return 0; }
static PJRT_Error *id(PJRT_DeviceDescription_Id_Args *a) { CHECK(PJRT_DeviceDescription_Id_Args); a->id = a->device_description->id; return 0; }
static PJRT_Error *process(PJRT_DeviceDescription_ProcessIndex_Args *a) { CHECK(PJRT_DeviceDescription_ProcessIndex_Args); a->process_index = a->device_description->process; return 0; }
static PJRT_Error *string(PJRT_DeviceDescription_ToString_Args *a) { CHECK(PJRT_DeviceDescription_ToString_Args); a->to_string = a->device_description->text; a->to_string_size = strlen(a->to_string); return 0; }
static PJRT_Error *here(PJRT_Device_IsAddressable_Args *a) { CHECK(PJRT_Device_IsAddressable_Args); a->is_addressable = a->device->here; return 0; }
static PJRT_Error *compile(PJRT_Client_Compile_Args *a) {
	CHECK(PJRT_Client_Compile_Args);
	// Two replicas of two partitions: devices 100 and 102 have the first partition, 101 and 103
	// the second.
	static const char want[] = "\x4a\x10\x08\x02\x10\x02\x1a\x04\x0a\x02\x64\x66\x1a\x04\x0a\x02\x65\x67";
	if (!memmem(a->compile_options, a->compile_options_size, want, sizeof want - 1)) return bad("another assignment");
	if (a->program->code_size != 3 || strncmp(a->program->code, "sum", 3)) return bad("another program");
	a->executable = &loaded; return 0;
}
static PJRT_Error *of(PJRT_LoadedExecutable_GetExecutable_Args *a) { CHECK(PJRT_LoadedExecutable_GetExecutable_Args); a->executable = &executable; return 0; }
static PJRT_Error *outputs(PJRT_Executable_NumOutputs_Args *a) { CHECK(PJRT_Executable_NumOutputs_Args); a->num_outputs = 1; return 0; }
static PJRT_Error *freed(PJRT_Executable_Destroy_Args *a) { CHECK(PJRT_Executable_Destroy_Args); return 0; }
static PJRT_Error *unloaded(PJRT_LoadedExecutable_Destroy_Args *a) { CHECK(PJRT_LoadedExecutable_Destroy_Args); return buffers || events ? bad("something was not destroyed") : 0; }
static PJRT_Error *runs_on(PJRT_LoadedExecutable_AddressableDevices_Args *a) { CHECK(PJRT_LoadedExecutable_AddressableDevices_Args); a->addressable_devices = (PJRT_Device *const *)list + 2 * client.node; a->num_addressable_devices = 2; return 0; }
static PJRT_Event *event(void) { events++; return calloc(1, sizeof(PJRT_Event)); }
static PJRT_Error *copy(PJRT_Client_BufferFromHostBuffer_Args *a) {
	CHECK(PJRT_Client_BufferFromHostBuffer_Args);
	if (a->type != PJRT_Buffer_Type_F32 || a->num_dims != 1 || a->dims[0] != 1 || !a->device->here || a->host_buffer_semantics != PJRT_HostBufferSemantics_kImmutableOnlyDuringCall) return bad("another input");
	a->buffer = calloc(1, sizeof *a->buffer); a->buffer->x = *(const float *)a->data; a->buffer->n = 1; buffers++;
	a->done_with_host_buffer = event(); return 0;
}
static PJRT_Error *drop(PJRT_Buffer_Destroy_Args *a) { CHECK(PJRT_Buffer_Destroy_Args); free(a->buffer); buffers--; return 0; }
static PJRT_Error *type(PJRT_Buffer_ElementType_Args *a) { CHECK(PJRT_Buffer_ElementType_Args); a->type = PJRT_Buffer_Type_F32; return 0; }
static PJRT_Error *dims(PJRT_Buffer_Dimensions_Args *a) { CHECK(PJRT_Buffer_Dimensions_Args); a->dims = &a->buffer->n; a->num_dims = 1; return 0; }
static PJRT_Error *fetch(PJRT_Buffer_ToHostBuffer_Args *a) { CHECK(PJRT_Buffer_ToHostBuffer_Args); if (a->dst_size != 4) return bad("another size"); *(float *)a->dst = a->src->x; a->event = event(); return 0; }
static PJRT_Error *await(PJRT_Event_Await_Args *a) { CHECK(PJRT_Event_Await_Args); return 0; }
static PJRT_Error *over(PJRT_Event_Destroy_Args *a) { CHECK(PJRT_Event_Destroy_Args); free(a->event); events--; return 0; }
static PJRT_Error *run(PJRT_LoadedExecutable_Execute_Args *a) {
	CHECK(PJRT_LoadedExecutable_Execute_Args);
	if (a->options->struct_size != PJRT_ExecuteOptions_STRUCT_SIZE) return bad("wrong size of PJRT_ExecuteOptions");
	if (a->num_devices != 2 || a->num_args != 1) return bad("another number of inputs");
	float own = a->argument_lists[0][0]->x + a->argument_lists[1][0]->x, sum = 0, x; size_t n; char key[64];
	if (loaded.runs == 1 && getenv("FAKE_ENDS_RUNNING")) _exit(3);
	if (loaded.runs == 1 && getenv("FAKE_HANGS")) for (;;) pause(); // as NCCL does, where a rank is lost
	snprintf(key, sizeof key, "run/%d/%d", loaded.runs, client.node);
	CHECK_ONE(put(key, (char *)&own, sizeof own));
	for (int i = 0; i < client.nodes; i++) {
		snprintf(key, sizeof key, "run/%d/%d", loaded.runs, i);
		CHECK_ONE(get(key, 20000, (char *)&x, sizeof x, &n));
		sum += x;
	}
	loaded.runs++;
	for (int d = 0; d < 2; d++) {
		PJRT_Buffer *b = calloc(1, sizeof *b); b->x = sum; b->n = 1; buffers++;
		a->output_lists[d][0] = b;
		a->device_complete_events[d] = event();
	}
	return 0;
}
static PJRT_Api api;
const PJRT_Api *GetPjrtApi(void) {
	api.struct_size = PJRT_Api_STRUCT_SIZE;
	api.PJRT_Error_Destroy = destroy; api.PJRT_Error_Message = message; api.PJRT_Plugin_Initialize = initialize;
	api.PJRT_Client_Create = create; api.PJRT_Client_Destroy = end; api.PJRT_Client_Devices = all; api.PJRT_Device_GetDescription = describe;
	api.PJRT_DeviceDescription_Id = id; api.PJRT_DeviceDescription_ProcessIndex = process; api.PJRT_DeviceDescription_ToString = string;
	api.PJRT_Device_IsAddressable = here; api.PJRT_Client_Compile = compile; api.PJRT_LoadedExecutable_GetExecutable = of;
	api.PJRT_Executable_NumOutputs = outputs; api.PJRT_Executable_Destroy = freed; api.PJRT_LoadedExecutable_Destroy = unloaded;
	api.PJRT_LoadedExecutable_AddressableDevices = runs_on; api.PJRT_Client_BufferFromHostBuffer = copy; api.PJRT_Buffer_Destroy = drop;
	api.PJRT_Buffer_ElementType = type; api.PJRT_Buffer_Dimensions = dims; api.PJRT_Buffer_ToHostBuffer = fetch;
	api.PJRT_Event_Await = await; api.PJRT_Event_Destroy = over; api.PJRT_LoadedExecutable_Execute = run;
	return &api;
}
`

// jobEnv has the plugin of a process that TestJob starts.
const jobEnv = "HOLT_TEST_JOB_PLUGIN"

// TestJob has two processes open the plugin, see each other's devices and run a program on them
// all; and one of them fail, end, or hang on the way, which the other says with its number.
func TestJob(t *testing.T) {
	if path := os.Getenv(jobEnv); path != "" {
		fmt.Println("said", jobProcess(t.Context(), path))
		return
	}
	library := build(t, jobSource)
	const whole = "[100 0:0 of devices of node 0 101 0:1 of devices of node 0 102 1:2 of devices of node 1 103 1:3 of devices of node 1] 1111, 1111, and 2222, 2222"
	for _, tt := range []struct {
		what string
		env  string // of rank 1
		want [2]string
	}{
		{"nothing", "", [2]string{whole, whole}},
		{"it fails", "FAKE_FAILS=1", [2]string{`": rank 1 has stopped: INTERNAL: no GPU is here`, "INTERNAL: no GPU is here"}},
		{"its time for a key is over", "FAKE_LIMIT=1", [2]string{
			`": rank 1 has stopped: code 4: key "none": no process has put it within 50ms: context deadline exceeded`,
			`code 4: key "none": no process has put it within 50ms: context deadline exceeded`}},
		{"it ends", "FAKE_ENDS=1", [2]string{`": rank 1 is lost: its process has ended`, ""}},
		{"it ends in a program", "FAKE_ENDS_RUNNING=1", [2]string{"rank 1 is lost: its process has ended", ""}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			for rank, got := range startJob(t, library, tt.env) {
				if !strings.HasSuffix(got, tt.want[rank]) { // the key before it depends on who comes first
					t.Errorf("rank %d says %q, want %q", rank, got, tt.want[rank])
				}
			}
		})
	}
	// Both programs hang, as NCCL's do where a rank is lost, and rank 1 is.
	t.Run("a program has no end", func(t *testing.T) {
		t.Setenv("FAKE_HANGS", "1")
		got := startJob(t, library, "HOLT_TEST_JOB_ENDS=1")
		if want := "rank 1 is lost: its process has ended"; got[0] != want {
			t.Errorf("rank 0 says %q, want %q", got[0], want)
		}
	})
}

// startJob starts two processes, and returns what each says; "" for one that ends before.
func startJob(t *testing.T, library, env string) (said [2]string) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	var wg sync.WaitGroup
	for rank := range said {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJob$")
			cmd.Env = append(os.Environ(), jobEnv+"="+library, "RANK="+strconv.Itoa(rank), "WORLD_SIZE=2", "LOCAL_RANK="+strconv.Itoa(rank),
				"LOCAL_WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1", "MASTER_PORT="+strconv.Itoa(port))
			if rank == 1 && env != "" {
				cmd.Env = append(cmd.Env, env)
			}
			out, err := cmd.CombinedOutput()
			_, text, ok := strings.Cut(string(out), "said ")
			if said[rank], _, _ = strings.Cut(text, "\n"); !ok && (rank == 0 || err == nil) {
				t.Errorf("rank %d: %v\n%s", rank, err, out)
			}
		})
	}
	wg.Wait()
	return said
}

// jobProcess is what a process of the job does, and says.
func jobProcess(ctx context.Context, path string) string {
	w, err := launch.FromEnv()
	if err != nil {
		return err.Error()
	}
	g, err := collective.Join(ctx, w, "")
	if err != nil {
		return err.Error()
	}
	c, err := NewClient(ctx, path, Job{Rank: w.Rank, Size: w.Size, Keys: g},
		map[string]any{"allocator": "bfc", "memory_fraction": float32(0.5), "preallocate": true})
	if err != nil {
		g.Leave(err)
		return err.Error()
	}
	defer c.Close()
	var devices []string
	for _, d := range c.Devices() {
		if d.Here != (d.Process == w.Rank) {
			return fmt.Sprintf("%+v is said to be here", d)
		}
		devices = append(devices, fmt.Sprintf("%d %d:%s", d.ID, d.Process, d.Text))
	}
	p, err := c.Compile([]byte("sum"), Assignment{Replicas: 2, Partitions: 2, Devices: []int{100, 101, 102, 103}})
	if err != nil {
		return err.Error()
	}
	defer p.Close()
	var sums []string
	for k := range 2 {
		if k == 1 && w.Rank == 1 && os.Getenv("HOLT_TEST_JOB_ENDS") != "" {
			time.AfterFunc(500*time.Millisecond, func() { os.Exit(3) })
		}
		var inputs [][]Array
		for _, d := range p.Devices() {
			inputs = append(inputs, []Array{{Dims: []int64{1}, Values: []float32{float32(k+1) * float32([]int{1, 10, 100, 1000}[d-100])}}})
		}
		err := g.Await(ctx, fmt.Sprint("program ", k), func(ctx context.Context) error {
			out, err := p.Run(ctx, inputs)
			if err == nil {
				sums = append(sums, fmt.Sprintf("%v, %v", out[0][0].Values[0], out[1][0].Values[0]))
			}
			return err
		})
		if err != nil {
			return err.Error()
		}
	}
	return fmt.Sprint(devices, " ", strings.Join(sums, ", and "))
}

// noKeys are keys of a job of one process, whose plugin asks for none.
type noKeys struct{}

var errAsked = errors.New("it was asked for a key")

func (noKeys) Get(context.Context, string) ([]byte, error)          { return nil, errAsked }
func (noKeys) TryGet(context.Context, string) ([]byte, bool, error) { return nil, false, errAsked }
func (noKeys) Put(string, []byte) error                             { return errAsked }

// TestJobOfCPU compiles and runs a real program by the real plugin, which takes no callbacks.
func TestJobOfCPU(t *testing.T) {
	path, ok := plugins.Find(plugins.SearchDirs(), "cpu")
	if !ok {
		t.Skip("the XLA plugin for cpu is not here")
	}
	c, err := NewClient(t.Context(), path, Job{Size: 1, Keys: noKeys{}}, map[string]any{"cpu_device_count": int64(2)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var ids []int
	for _, d := range c.Devices() {
		ids = append(ids, d.ID)
	}
	p, err := c.Compile(AllReduce(2, 3), Assignment{Replicas: 2, Partitions: 1, Devices: ids})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	one := func(x ...float32) []Array { return []Array{{Dims: []int64{3}, Values: x}} }
	out, err := p.Run(t.Context(), [][]Array{one(1, 2, 3), one(10, 20, 30)})
	if want := "[[{[3] [11 22 33]}] [{[3] [11 22 33]}]]"; err != nil || fmt.Sprint(out) != want {
		t.Errorf("it gives %v, %v, want %s", out, err, want)
	}
	for what, inputs := range map[string][][]Array{
		"pjrt: inputs for 1 devices, want 2":               {one(1, 2, 3)},
		"pjrt: 0 inputs for a device, and 1 for the first": {one(1, 2, 3), nil},
		"pjrt: 2 numbers of shape [3]":                     {one(1, 2), one(1, 2)},
	} {
		if _, err := p.Run(t.Context(), inputs); err == nil || err.Error() != what {
			t.Errorf("%v, want %s", err, what)
		}
	}
	if _, err := c.Compile([]byte("sum"), Assignment{Replicas: 2, Partitions: 1, Devices: ids}); err == nil {
		t.Error("a text that is no program is no error")
	}
	if _, err := c.Compile(nil, Assignment{Replicas: 2, Partitions: 2, Devices: ids}); err == nil || err.Error() != "pjrt: 2 replicas of 2 partitions on 2 devices, want a device for each" {
		t.Errorf("too few devices: %v", err)
	}
	if _, err := NewClient(t.Context(), path, Job{Size: 1, Keys: noKeys{}}, map[string]any{"x": 1}); err == nil || err.Error() != "pjrt: option x is a int, want a string, int64, float32 or bool" {
		t.Errorf("an option of another type: %v", err)
	}
}
