"""The plots that GoMLX draws in GoNB's notebooks: margaid's SVG, and plotly's program for the page."""

import holt
import notebooks
import pytest

POINTS = """for step := range 5 {
	p.AddPoint(plot.Point{MetricName: "loss <b>", Short: "loss", MetricType: "loss", Step: float64(step), Value: 1 / float64(step+1)})
}
p.Plot()"""

PLOTS = {
    "margaid": (f'import "github.com/gomlx/gomlx/ui/gonb/margaid"\nimport "github.com/gomlx/gomlx/ui/plot"\np := margaid.New(400, 300)\n{POINTS}', "<svg"),
    "plotly": (f'import "github.com/gomlx/gomlx/ui/gonb/plotly"\nimport "github.com/gomlx/gomlx/ui/plot"\np := plotly.New()\n{POINTS}', "plotly"),
}


@pytest.mark.parametrize("name", PLOTS)
def test_plot(name, installed, tmp_path):
    cell, wanted = PLOTS[name]
    kernel = holt.Kernel(cwd=tmp_path)
    try:
        ran = kernel.run(cell, timeout=holt.FIRST_CELL)
    finally:
        kernel.close()
    if not ran.ok and notebooks.REFUSED.search(str(ran.reply)):
        pytest.skip(f"this machine's module proxy does not give what {name} imports")
    assert ran.ok, ran.reply
    shown = [m["data"].get("text/html", "") for m in ran.of("display_data")]
    assert any(wanted in html for html in shown), shown
