//go:build cgo && unix

package pjrt

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/holt-dl/holt/internal/plugins"
)

// fakeSource is a plugin in C, by go-xla's header: two devices, or an error.
const fakeSource = `
#include <stdlib.h>
#include <string.h>
#include "pjrt_c_api.h"
struct PJRT_Error { const char *text; };
struct PJRT_Client { int x; };
struct PJRT_Device { int number; };
struct PJRT_DeviceDescription { int x; };
static struct PJRT_Client client;
static struct PJRT_Device devices[2] = {{0}, {1}};
static struct PJRT_Device *list[2] = {&devices[0], &devices[1]};
static struct PJRT_DeviceDescription description;
static PJRT_Error *bad(const char *text) { PJRT_Error *e = malloc(sizeof *e); e->text = text; return e; }
#define CHECK(type) if (a->struct_size != type##_STRUCT_SIZE) return bad("wrong size of " #type)
static void destroy(PJRT_Error_Destroy_Args *a) { free(a->error); }
static void message(PJRT_Error_Message_Args *a) { a->message = a->error->text; a->message_size = strlen(a->message); }
static PJRT_Error *initialize(PJRT_Plugin_Initialize_Args *a) { CHECK(PJRT_Plugin_Initialize_Args); return 0; }
static PJRT_Error *create(PJRT_Client_Create_Args *a) {
	CHECK(PJRT_Client_Create_Args);
	if (getenv("FAKE_FAILS")) return bad("INTERNAL: no GPU is here");
	if (getenv("FAKE_ENDS")) abort();
	a->client = &client; return 0;
}
static PJRT_Error *end(PJRT_Client_Destroy_Args *a) { CHECK(PJRT_Client_Destroy_Args); return 0; }
static PJRT_Error *name(PJRT_Client_PlatformName_Args *a) { CHECK(PJRT_Client_PlatformName_Args); a->platform_name = "fake"; a->platform_name_size = 4; return 0; }
static PJRT_Error *version(PJRT_Client_PlatformVersion_Args *a) { CHECK(PJRT_Client_PlatformVersion_Args); a->platform_version = "fake 1.2"; a->platform_version_size = 8; return 0; }
static PJRT_Error *all(PJRT_Client_AddressableDevices_Args *a) { CHECK(PJRT_Client_AddressableDevices_Args); a->addressable_devices = (PJRT_Device *const *)list; a->num_addressable_devices = 2; return 0; }
static PJRT_Error *describe(PJRT_Device_GetDescription_Args *a) { CHECK(PJRT_Device_GetDescription_Args); a->device_description = &description; return 0; }
static PJRT_Error *string(PJRT_DeviceDescription_ToString_Args *a) { CHECK(PJRT_DeviceDescription_ToString_Args); a->to_string = "FakeDevice"; a->to_string_size = 10; return 0; }
static PJRT_Error *kind(PJRT_DeviceDescription_Kind_Args *a) { CHECK(PJRT_DeviceDescription_Kind_Args); if (getenv("FAKE_NO_KIND")) return bad("UNIMPLEMENTED: kind"); a->device_kind = "FAKE 200 SXM"; a->device_kind_size = 8; return 0; }
static PJRT_Error *memory(PJRT_Device_MemoryStats_Args *a) {
	CHECK(PJRT_Device_MemoryStats_Args);
	a->bytes_in_use = 3 + a->device->number; a->peak_pool_bytes = -1; a->peak_pool_bytes_is_set = true;
	if (!getenv("FAKE_NO_LIMIT")) { a->bytes_limit = 100; a->bytes_limit_is_set = true; }
	return 0;
}
static PJRT_Error *hardware(PJRT_Device_LocalHardwareId_Args *a) { CHECK(PJRT_Device_LocalHardwareId_Args); a->local_hardware_id = getenv("FAKE_NO_NUMBER") ? -1 : 6; return 0; }
// A device stands for a buffer, and its number counts what holds it.
static PJRT_Error *ready(PJRT_Buffer_ReadyEvent_Args *a) { CHECK(PJRT_Buffer_ReadyEvent_Args); a->event = malloc(1); return 0; }
static PJRT_Error *await(PJRT_Event_Await_Args *a) { CHECK(PJRT_Event_Await_Args); return getenv("FAKE_NO_VALUES") ? bad("INTERNAL: its program failed") : 0; }
static PJRT_Error *over(PJRT_Event_Destroy_Args *a) { CHECK(PJRT_Event_Destroy_Args); free(a->event); return 0; }
static PJRT_Error *hold(PJRT_Buffer_IncreaseExternalReferenceCount_Args *a) { CHECK(PJRT_Buffer_IncreaseExternalReferenceCount_Args); ((PJRT_Device *)a->buffer)->number++; return 0; }
static PJRT_Error *let_go(PJRT_Buffer_DecreaseExternalReferenceCount_Args *a) { CHECK(PJRT_Buffer_DecreaseExternalReferenceCount_Args); ((PJRT_Device *)a->buffer)->number--; return 0; }
static PJRT_Error *data(PJRT_Buffer_OpaqueDeviceMemoryDataPointer_Args *a) { CHECK(PJRT_Buffer_OpaqueDeviceMemoryDataPointer_Args); a->device_memory_ptr = a->buffer; return 0; }
static PJRT_Api api;
const PJRT_Api *GetPjrtApi(void) {
	api.struct_size = PJRT_Api_STRUCT_SIZE;
	api.PJRT_Device_LocalHardwareId = hardware; api.PJRT_Buffer_ReadyEvent = ready; api.PJRT_Event_Await = await; api.PJRT_Event_Destroy = over;
	api.PJRT_Buffer_IncreaseExternalReferenceCount = hold; api.PJRT_Buffer_DecreaseExternalReferenceCount = let_go; api.PJRT_Buffer_OpaqueDeviceMemoryDataPointer = data;
	if (getenv("FAKE_OLD")) api.struct_size = offsetof(PJRT_Api, PJRT_Device_MemoryStats);
	api.pjrt_api_version.major_version = 7; api.pjrt_api_version.minor_version = 42;
	api.PJRT_Error_Destroy = destroy; api.PJRT_Error_Message = message; api.PJRT_Plugin_Initialize = initialize;
	api.PJRT_Client_Create = create; api.PJRT_Client_Destroy = end; api.PJRT_Client_PlatformName = name; api.PJRT_Client_PlatformVersion = version;
	api.PJRT_Client_AddressableDevices = all; api.PJRT_Device_GetDescription = describe; api.PJRT_DeviceDescription_ToString = string;
	api.PJRT_DeviceDescription_Kind = kind; api.PJRT_Device_MemoryStats = memory;
	return &api;
}
`

// fake builds the plugin, which shows that the places and sizes of this package
// are those of the header.
func fake(t *testing.T) string {
	t.Helper()
	return build(t, fakeSource)
}

// build builds a plugin in C by go-xla's header.
func build(t *testing.T, code string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	header := filepath.Join(strings.TrimSpace(string(dir)), "pjrt")
	cc, ccErr := exec.LookPath("cc")
	if err != nil || ccErr != nil {
		t.Skip("needs go-xla's header and a C compiler")
	}
	if _, err := os.Stat(filepath.Join(header, "pjrt_c_api.h")); err != nil {
		t.Skip(err)
	}
	folder := t.TempDir()
	source, library := filepath.Join(folder, "fake.c"), filepath.Join(folder, "fake.so")
	if err := os.WriteFile(source, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-I", header, "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return library
}

func TestProbe(t *testing.T) {
	library := fake(t)
	r, err := Probe(library)
	if err != nil || r.API() != "PJRT 7.42" || r.Platform != "fake" || r.Version != "fake 1.2" || !slices.Equal(r.Devices, []string{"FakeDevice", "FakeDevice"}) || r.Problem != "" {
		t.Errorf("it says %+v, %v", r, err)
	}
	t.Setenv("FAKE_FAILS", "1")
	if r, err := Probe(library); err != nil || r.Problem != "INTERNAL: no GPU is here" || r.API() != "PJRT 7.42" || len(r.Devices) != 0 {
		t.Errorf("it says %+v, %v", r, err)
	}
	text := filepath.Join(t.TempDir(), "text.so")
	os.WriteFile(text, []byte("hello"), 0o644)
	if _, err := Probe(text); err == nil || !strings.HasPrefix(err.Error(), text+" cannot be loaded: ") {
		t.Errorf("error is %v", err)
	}
}

func TestMemory(t *testing.T) {
	library := fake(t)
	if m, err := firstMemory(library); err != nil || m != (Memory{Used: 3, Limit: 100}) {
		t.Errorf("memory is %+v, %v", m, err)
	}
	t.Setenv("FAKE_NO_LIMIT", "1")
	if m, err := firstMemory(library); err != nil || m != (Memory{Used: 3}) {
		t.Errorf("memory is %+v, %v", m, err)
	}
	t.Setenv("FAKE_OLD", "1")
	if _, err := firstMemory(library); err == nil || err.Error() != "pjrt: memory of a device: the plugin does not tell" {
		t.Errorf("error is %v", err)
	}
	if _, err := MemoryOf(nil, nil); err == nil {
		t.Error("no device is no error")
	}
}

func TestKind(t *testing.T) {
	if kind, err := firstKind(fake(t)); err != nil || kind != "FAKE 200" {
		t.Errorf("the kind is %q, %v", kind, err)
	}
	t.Setenv("FAKE_NO_KIND", "1")
	if kind, err := firstKind(fake(t)); err == nil || err.Error() != "pjrt: kind of a device: UNIMPLEMENTED: kind" {
		t.Errorf("the kind is %q, %v", kind, err)
	}
	if _, err := KindOf(nil, nil); err == nil {
		t.Error("no device is no error")
	}
}

// TestPlaces counts the functions in go-xla's header, whose places are used
// here.
func TestPlaces(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Skip(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pjrt", "pjrt_c_api.h"))
	if err != nil {
		t.Skip(err)
	}
	_, after, _ := bytes.Cut(b, []byte("typedef struct PJRT_Api {"))
	var names []string
	for lines := bufio.NewScanner(bytes.NewReader(after)); lines.Scan() && !strings.HasPrefix(lines.Text(), "} PJRT_Api;"); {
		if name, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "_PJRT_API_STRUCT_FIELD("); ok {
			names = append(names, strings.TrimSuffix(name, ");"))
		}
	}
	for place, want := range map[int]string{0: "PJRT_Error_Destroy", 1: "PJRT_Error_Message", 3: "PJRT_Plugin_Initialize", 5: "PJRT_Event_Destroy", 8: "PJRT_Event_Await", 10: "PJRT_Client_Create", 11: "PJRT_Client_Destroy", 12: "PJRT_Client_PlatformName",
		14: "PJRT_Client_PlatformVersion", 15: "PJRT_Client_Devices", 16: "PJRT_Client_AddressableDevices", 22: "PJRT_Client_BufferFromHostBuffer",
		23: "PJRT_DeviceDescription_Id", 24: "PJRT_DeviceDescription_ProcessIndex", 26: "PJRT_DeviceDescription_Kind", 28: "PJRT_DeviceDescription_ToString", 29: "PJRT_Device_GetDescription", 30: "PJRT_Device_IsAddressable", 34: "PJRT_Device_MemoryStats",
		20: "PJRT_Client_Compile", 40: "PJRT_Executable_Destroy", 44: "PJRT_Executable_NumOutputs", 49: "PJRT_Executable_Serialize", 50: "PJRT_LoadedExecutable_Destroy", 51: "PJRT_LoadedExecutable_GetExecutable", 52: "PJRT_LoadedExecutable_AddressableDevices", 55: "PJRT_LoadedExecutable_Execute", 56: "PJRT_Executable_DeserializeAndLoad",
		58: "PJRT_Buffer_Destroy", 59: "PJRT_Buffer_ElementType", 60: "PJRT_Buffer_Dimensions", 70: "PJRT_Buffer_ToHostBuffer",
		46: "PJRT_Executable_GetCostAnalysis", 48: "PJRT_Executable_OptimizedProgram", 82: "PJRT_TopologyDescription_Create", 83: "PJRT_TopologyDescription_Destroy",
		89: "PJRT_Compile", 96: "PJRT_Executable_GetCompiledMemoryStats"} {
		if place >= len(names) || names[place] != want {
			t.Errorf("%s is not at %d of %d", want, place, len(names))
		}
	}
}

// TestCPU asks the real plugin, where it is.
func TestCPU(t *testing.T) {
	path, ok := plugins.Find(plugins.SearchDirs(), "cpu")
	if !ok {
		t.Skip("the XLA plugin for cpu is not here")
	}
	r, err := Probe(path)
	if err != nil || r.Platform != "cpu" || len(r.Devices) == 0 || r.Problem != "" {
		t.Errorf("it says %+v, %v", r, err)
	}
	t.Logf("%+v", r)
	m, err := firstMemory(path)
	t.Logf("memory %+v, %v", m, err)
}

// TestDataOf finds CUDA's number of a device and the memory of a buffer, which is held meanwhile.
func TestDataOf(t *testing.T) {
	library := fake(t)
	err := ofFirst(library, func(api, device unsafe.Pointer) error {
		held := func() int32 { return *(*int32)(device) }
		if n, err := HardwareOf(api, device); n != 6 || err != nil {
			t.Errorf("the number is %d, %v, want 6", n, err)
		}
		before := held()
		at, release, err := DataOf(api, device)
		if err != nil || at != device || held() != before+1 {
			t.Fatalf("it is at %p, %v, and held %d times more, want %p, once", at, err, held()-before, device)
		}
		if release(); held() != before {
			t.Error("it is held after its release")
		}
		t.Setenv("FAKE_NO_VALUES", "1")
		if _, _, err := DataOf(api, device); err == nil || err.Error() != "pjrt: memory of a buffer: INTERNAL: its program failed" || held() != before {
			t.Errorf("a buffer whose program failed: %v, held %d times", err, held()-before)
		}
		t.Setenv("FAKE_NO_NUMBER", "1")
		if _, err := HardwareOf(api, device); err == nil || err.Error() != "pjrt: number of a device: it has none" {
			t.Errorf("a device without a number: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, _, err := DataOf(nil, nil); err == nil {
		t.Error("no buffer has memory")
	}
}
