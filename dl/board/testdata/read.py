"""Prints what TensorBoard's own reader finds in the runs below a folder, as JSON."""
import json
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

found = {}
for folder, _, names in sorted(os.walk(sys.argv[1])):
    if not any("tfevents" in name for name in names):
        continue
    a = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0})
    a.Reload()
    tags = a.Tags()
    run = found[os.path.relpath(folder, sys.argv[1])] = {}
    run["scalars"] = {t: [[e.step, e.value] for e in a.Scalars(t)] for t in tags["scalars"]}
    run["images"] = {t: [[e.step, e.width, e.height] for e in a.Images(t)] for t in tags["images"]}
    run["histograms"] = {t: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in a.Histograms(t)] for t in tags["histograms"]}
    run["texts"] = {t: [[e.step, e.tensor_proto.string_val[0].decode()] for e in a.Tensors(t)] for t in tags["tensors"]}
    if tags["graph"]:
        run["graph"] = {n.name: list(n.input) for n in a.Graph().node}
    for tag in sorted(a.summary_metadata):
        data = a.summary_metadata[tag].plugin_data
        if data.plugin_name == "hparams":
            p = plugin_data_pb2.HParamsPluginData.FromString(data.content)
            run.setdefault("hparams", {})[tag] = " ".join(str(p).split())
print(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False))
