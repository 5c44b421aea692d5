"""Everything that a learner would see wrong in a notebook that has run."""

from __future__ import annotations

from notebook_page import broken_pictures, code_cells, errors, overflowing, prompts

OUTPUT = ".jp-OutputArea-output"


def check_whole(page, lesson: str, pictures: int = 3) -> None:
    """All cells of a lesson have run, its pictures and its diagram are there, and nothing looks wrong.

    Args:
        pictures: how many there are at least.

    Raises:
        AssertionError: it is not so.
    """
    assert len(prompts(page)) == len(code_cells(lesson)) > 10
    assert faults(page) == []
    assert page.locator(f"{OUTPUT} img").count() >= pictures
    assert page.locator(".jp-RenderedMermaid").count() >= 1


def faults(page) -> list[str]:
    """A line for each fault: what is wrong, and where, in the output's own words. Empty if all is well."""
    looks = {
        "error": errors,
        "over its edge": overflowing,
        "no picture or no words": broken_pictures,
        "diagram not drawn": broken_diagrams,
        "widget not shown": dead_widgets,
        "label cut off": cut_labels,
        "control without a name": nameless_controls,
    }
    return [f"{name}: {one}" for name, look in looks.items() for one in look(page)]


def broken_diagrams(page) -> list[str]:
    """Mermaid's diagrams that were not drawn, by their first words."""
    return page.eval_on_selector_all(
        ".jp-RenderedMermaid",
        """found => found.filter(one => !one.querySelector("img, svg") || /mermaid-error/i.test(one.innerHTML))
                         .map(one => one.textContent.trim().slice(0, 60))""",
    )


def dead_widgets(page) -> list[str]:
    """Widgets that show nothing, their failure, or their words in Python, by what stands in their place."""
    return page.eval_on_selector_all(
        OUTPUT,
        r"""found => found.filter(one => {
            const words = one.textContent.trim();
            if (one.dataset.mimeType == "text/plain") return /^\w+\((children|value|description|options)=/.test(words);
            if (one.dataset.mimeType) return false;  // a widget's output has none
            const failed = /^(Error (displaying|creating|rendering) widget|Loading widget|Failed to load)/i.test(words);
            return failed || one.getBoundingClientRect().height < 5 || !one.querySelector("*:not(div)");
        }).map(one => one.textContent.trim().slice(0, 100) || "nothing")""",
    )


def nameless_controls(page) -> list[str]:
    """Controls in outputs that a screen reader could not name, by their kind. JupyterLab's own are not ours."""
    return page.eval_on_selector_all(
        f"{OUTPUT} :is(.jupyter-widgets, .jupyter-widget) :is(button, select, textarea, input, [role=slider])",
        """found => found.filter(one => {
            if (one.getClientRects().length == 0) return false;  // not shown
            const labels = [...(one.labels ?? [])].map(label => label.textContent).join("");
            const said = one.matches("button") ? one.textContent : "";
            return !(one.getAttribute("aria-label") || labels || said).trim();
        }).map(one => one.getAttribute("role") || one.tagName.toLowerCase())""",
    )


def cut_labels(page) -> list[str]:
    """Labels of controls that have no room for all their letters."""
    return page.eval_on_selector_all(
        ".widget-label, .jupyter-button",
        """found => found.filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1)
                         .map(one => one.textContent.trim())""",
    )
