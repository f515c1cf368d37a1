package backend

import (
	"slices"

	"github.com/holt-dl/holt/internal/plugins"
)

// compiling are the wheels of cuda that compiling needs: XLA, NVIDIA's assembler and the
// mathematical functions.
var compiling = []string{"jax-cuda13-pjrt", "nvidia-cuda-nvcc", "nvidia-nvvm"}

func init() {
	wheels[plugins.CompilerKind] = map[string][]wheel{}
	for arch, all := range wheels["cuda"] {
		wheels[plugins.CompilerKind][arch] = slices.DeleteFunc(slices.Clone(all), func(w wheel) bool { return !slices.Contains(compiling, w.project) })
	}
}

// wheels are the pinned files of each kind, by GOARCH. Their sizes and
// checksums are those that PyPI's JSON interface gave on 2026-11-23: the
// newest releases then that satisfy jax-cuda13-plugin and jax-cuda12-plugin
// 0.12.0.1. Only cpu on amd64 was run by us; the CUDA sets were not.
var wheels = map[string]map[string][]wheel{
	"cpu": {
		"amd64": {
			{"xla-cpu-pjrt", "0.0.1", "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl", 63461052,
				"55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc"},
		},
		"arm64": {
			{"xla-cpu-pjrt", "0.0.1", "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_aarch64.whl", 49514947,
				"8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9"},
		},
	},
	"cuda": {
		"amd64": {
			{"jax-cuda13-pjrt", "0.12.0.1", "jax_cuda13_pjrt-0.12.0.1-py3-none-manylinux_2_27_x86_64.whl", 134922808,
				"5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90"},
			{"nvidia-cublas", "13.10.0.20", "nvidia_cublas-13.10.0.20-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl", 444289903,
				"dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84"},
			{"nvidia-cuda-crt", "13.5.37", "nvidia_cuda_crt-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 166163,
				"e898b7f73d3035fa89915a3f7bf3b54a73e90249746111aed295822c4729bb29"},
			{"nvidia-cuda-cupti", "13.5.25", "nvidia_cuda_cupti-13.5.25-py3-none-manylinux_2_25_x86_64.whl", 12592974,
				"9dcca41c12a734192b14e7128ae116bc9ce1b9da686e2ebf48ae7a4415f76650"},
			{"nvidia-cuda-nvcc", "13.5.37", "nvidia_cuda_nvcc-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 47028279,
				"f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7"},
			{"nvidia-cuda-nvrtc", "13.5.37", "nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 58185930,
				"86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc"},
			{"nvidia-cuda-runtime", "13.5.37", "nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 2504024,
				"df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d"},
			{"nvidia-cudnn-cu13", "9.28.1.4", "nvidia_cudnn_cu13-9.28.1.4-py3-none-manylinux_2_27_x86_64.whl", 516817937,
				"a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec"},
			{"nvidia-cufft", "12.5.0.14", "nvidia_cufft-12.5.0.14-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 165072555,
				"b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad"},
			{"nvidia-cusolver", "12.4.1.2", "nvidia_cusolver-12.4.1.2-py3-none-manylinux_2_27_x86_64.whl", 260003940,
				"b3b8e02fd2f2df869369af075dc3a179d43f6f7b85e94632a7dce556697be044"},
			{"nvidia-cusparse", "12.9.4.2", "nvidia_cusparse-12.9.4.2-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 230422857,
				"072667e58c851a318738f5527a12eb225cbf058803f2ea451c722d8cf8edddec"},
			{"nvidia-nccl-cu13", "2.32.3", "nvidia_nccl_cu13-2.32.3-py3-none-manylinux_2_27_x86_64.whl", 305100071,
				"1459723080ac889d73a26edfa3e04383a7928ab31ac8f0ec43b3ea9548b04ff3"},
			{"nvidia-nvjitlink", "13.5.37", "nvidia_nvjitlink-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 46642491,
				"280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb"},
			{"nvidia-nvshmem-cu13", "3.8.0", "nvidia_nvshmem_cu13-3.8.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 182092449,
				"81a4d1f666543e6d34df6d2ff940c7da1435e34e186aab6f3c2b48861b64ef38"},
			{"nvidia-nvvm", "13.5.37", "nvidia_nvvm-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 75141406,
				"c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070"},
		},
		"arm64": {
			{"jax-cuda13-pjrt", "0.12.0.1", "jax_cuda13_pjrt-0.12.0.1-py3-none-manylinux_2_27_aarch64.whl", 128847710,
				"40758d042df8c06991b6a1a8016b56e9cefb1ed4c677c062125c3eb71c3dab97"},
			{"nvidia-cublas", "13.10.0.20", "nvidia_cublas-13.10.0.20-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 560089875,
				"c5f3418c0a845232a8cabc58f6fa52cfae7d8bd3680d94c3907aca710fd48d70"},
			{"nvidia-cuda-crt", "13.5.37", "nvidia_cuda_crt-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 166163,
				"9ed2c565fdf3244fa6719769a80a466b85bfd4b1467ea339353bc91c971d09e0"},
			{"nvidia-cuda-cupti", "13.5.25", "nvidia_cuda_cupti-13.5.25-py3-none-manylinux_2_25_aarch64.whl", 12236153,
				"d7e4d908315461b6ecbdadfd3c403cc796ed218b293ad117568c947e811cff28"},
			{"nvidia-cuda-nvcc", "13.5.37", "nvidia_cuda_nvcc-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 40745418,
				"588eda18eb5076ae859fe272844b526459228af22df0b117f54eec3aa82bc9c8"},
			{"nvidia-cuda-nvrtc", "13.5.37", "nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 56419462,
				"36e4fa2a8ada293f5693d308e531c196ab6f91cf7a0ff479bf96a537d43a6096"},
			{"nvidia-cuda-runtime", "13.5.37", "nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 2520010,
				"de2dc5a7367974228b0a69588a9acc9340d3768bef1bf38bf0801eb08497cd2d"},
			{"nvidia-cudnn-cu13", "9.28.1.4", "nvidia_cudnn_cu13-9.28.1.4-py3-none-manylinux_2_27_aarch64.whl", 597008823,
				"759b6a4919951ed8ec603dec97b96f6a6396c8269b95b3d345526e2471fb433d"},
			{"nvidia-cufft", "12.5.0.14", "nvidia_cufft-12.5.0.14-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 165074034,
				"091cde103312d6e09366122fe3f67092dcfd94cc9785029d695d6bcffaa76fdf"},
			{"nvidia-cusolver", "12.4.1.2", "nvidia_cusolver-12.4.1.2-py3-none-manylinux_2_27_aarch64.whl", 304822178,
				"1f54c8e0d5b1ebd183b4c5a79f0709fa90241e8254da381ca5b969ee97c8de32"},
			{"nvidia-cusparse", "12.9.4.2", "nvidia_cusparse-12.9.4.2-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 230296529,
				"e2ce97f185c9c4b285e4a8fbf02cb96dd1b8dd66736ebe2f0a8da5f6012a4fb7"},
			{"nvidia-nccl-cu13", "2.32.3", "nvidia_nccl_cu13-2.32.3-py3-none-manylinux_2_27_aarch64.whl", 305107282,
				"a5bee92b2f4af218c109f8d221c3c9adcc752b94ae0ffcb0ed5abf9341a7724c"},
			{"nvidia-nvjitlink", "13.5.37", "nvidia_nvjitlink-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 45253761,
				"893f6f9a55b2720ed94913b5ba3332e972da8c78dfa2863d0244403dbd528ffc"},
			{"nvidia-nvshmem-cu13", "3.8.0", "nvidia_nvshmem_cu13-3.8.0-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 181881399,
				"8120175024f52a64323cfc5d645e95ac7345f1ee243a998d140ce19163285294"},
			{"nvidia-nvvm", "13.5.37", "nvidia_nvvm-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 71213582,
				"b659bd3115b7ac7ec8931e67d0e2c0dd09cd35b08a6a7372df6f8f22c67da80a"},
		},
	},
	"cuda12": {
		"amd64": {
			{"jax-cuda12-pjrt", "0.12.0.1", "jax_cuda12_pjrt-0.12.0.1-py3-none-manylinux_2_27_x86_64.whl", 191846358,
				"5ec28e06198d094031c37590b4ea753ae8cde4879ab4b60baf40f0dffb673286"},
			{"nvidia-cublas-cu12", "12.9.3.13", "nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_x86_64.whl", 581217458,
				"d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72"},
			{"nvidia-cuda-cupti-cu12", "12.9.79", "nvidia_cuda_cupti_cu12-12.9.79-py3-none-manylinux_2_25_x86_64.whl", 10814997,
				"096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f"},
			{"nvidia-cuda-nvcc-cu12", "12.9.86", "nvidia_cuda_nvcc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 40546229,
				"5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0"},
			{"nvidia-cuda-nvrtc-cu12", "12.9.86", "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 89568129,
				"210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4"},
			{"nvidia-cuda-runtime-cu12", "12.9.79", "nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 3493179,
				"25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3"},
			{"nvidia-cudnn-cu12", "9.28.0.42", "nvidia_cudnn_cu12-9.28.0.42-py3-none-manylinux_2_27_x86_64.whl", 716538495,
				"9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375"},
			{"nvidia-cufft-cu12", "11.4.1.4", "nvidia_cufft_cu12-11.4.1.4-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 200877592,
				"c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28"},
			{"nvidia-cusolver-cu12", "11.7.5.82", "nvidia_cusolver_cu12-11.7.5.82-py3-none-manylinux_2_27_x86_64.whl", 338117415,
				"15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88"},
			{"nvidia-cusparse-cu12", "12.5.10.65", "nvidia_cusparse_cu12-12.5.10.65-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 366465088,
				"73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78"},
			{"nvidia-nccl-cu12", "2.32.3", "nvidia_nccl_cu12-2.32.3-py3-none-manylinux_2_27_x86_64.whl", 351526311,
				"bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c"},
			{"nvidia-nvjitlink-cu12", "12.9.86", "nvidia_nvjitlink_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 39748338,
				"e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9"},
			{"nvidia-nvshmem-cu12", "3.8.0", "nvidia_nvshmem_cu12-3.8.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 280800183,
				"b2e5760d6158aefe7bb74348d5128bb1b46a7dd1fd4b7b1e6fe55b4b07888f70"},
		},
		"arm64": {
			{"jax-cuda12-pjrt", "0.12.0.1", "jax_cuda12_pjrt-0.12.0.1-py3-none-manylinux_2_27_aarch64.whl", 185765557,
				"e6aa6c58c5420c1bda22db31a2f6c5c1d0a66cb701eeb731feae44fef197717c"},
			{"nvidia-cublas-cu12", "12.9.3.13", "nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_aarch64.whl", 574997333,
				"918a8781956115d34b1db49e0e7b7befba8d101661c4b560ed4d42e0e17bebc3"},
			{"nvidia-cuda-cupti-cu12", "12.9.79", "nvidia_cuda_cupti_cu12-12.9.79-py3-none-manylinux_2_25_aarch64.whl", 10077166,
				"791853b030602c6a11d08b5578edfb957cadea06e9d3b26adbf8d036135a4afe"},
			{"nvidia-cuda-nvcc-cu12", "12.9.86", "nvidia_cuda_nvcc_cu12-12.9.86-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 39411138,
				"44e1eca4d08926193a558d2434b1bf83d57b4d5743e0c431c0c83d51da1df62b"},
			{"nvidia-cuda-nvrtc-cu12", "12.9.86", "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 44528905,
				"096d4de6bda726415dfaf3198d4f5c522b8e70139c97feef5cd2ca6d4cd9cead"},
			{"nvidia-cuda-runtime-cu12", "12.9.79", "nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 3515012,
				"83469a846206f2a733db0c42e223589ab62fd2fabac4432d2f8802de4bded0a4"},
			{"nvidia-cudnn-cu12", "9.28.0.42", "nvidia_cudnn_cu12-9.28.0.42-py3-none-manylinux_2_27_aarch64.whl", 723261984,
				"f88db8fc1a0a5f458e19aa7b08fbe3500aeb9e2bb8dea6293ecbce170364ad72"},
			{"nvidia-cufft-cu12", "11.4.1.4", "nvidia_cufft_cu12-11.4.1.4-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 200822453,
				"1a28c9b12260a1aa7a8fd12f5ebd82d027963d635ba82ff39a1acfa7c4c0fbcf"},
			{"nvidia-cusolver-cu12", "11.7.5.82", "nvidia_cusolver_cu12-11.7.5.82-py3-none-manylinux_2_27_aarch64.whl", 337869834,
				"62efa83e4ace59a4c734d052bb72158e888aa7b770e1a5f601682f16fe5b4fd2"},
			{"nvidia-cusparse-cu12", "12.5.10.65", "nvidia_cusparse_cu12-12.5.10.65-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 366359408,
				"221c73e7482dd93eda44e65ce567c031c07e2f93f6fa0ecd3ba876a195023e83"},
			{"nvidia-nccl-cu12", "2.32.3", "nvidia_nccl_cu12-2.32.3-py3-none-manylinux_2_27_aarch64.whl", 351519937,
				"061af42ae1044816820e16b872075e243d1ac0656f51860fbc8e106c257aa83a"},
			{"nvidia-nvjitlink-cu12", "12.9.86", "nvidia_nvjitlink_cu12-12.9.86-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 39514880,
				"994a05ef08ef4b0b299829cde613a424382aff7efb08a7172c1fa616cc3af2ca"},
			{"nvidia-nvshmem-cu12", "3.8.0", "nvidia_nvshmem_cu12-3.8.0-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 280599580,
				"313ba41c8aacf03f9524ca83ddb2c62e7b3d82f71af815a35e3739f3d64452b2"},
		},
	},
}
