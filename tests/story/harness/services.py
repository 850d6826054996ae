"""Service files for the stories.

A service is a dict of sections, or the text of a file. In texts @DIR@ is the witnesses' folder,
@NAME@ the service's name, @BUILD@ the build, @FOLDER@ the whole run's folder.
"""
from .build import FAKE


def fake(*options, **sections):
    """A service run by fake-service; readiness is immediate unless a section says otherwise."""
    spec = {"service": {"command": " ".join([FAKE, "--dir @DIR@ --name @NAME@", *options])},
            "readiness": {"type": "immediate"}}
    for name, keys in sections.items():
        spec.setdefault(name, {}).update(keys)
    return spec


def on_fd(*options, **sections):
    """As fake(), but it tells itself when it is ready."""
    sections["readiness"] = {"type": "fd", **sections.get("readiness", {})}
    return fake("--ready-fd", *options, **sections)


def held(*options, **sections):
    """As on_fd(), but once it is asked to stop it waits for as long as the test holds it."""
    sections["operation"] = {"stop_timeout": "10m", "timeout": "20m",
                             **sections.get("operation", {})}
    return on_fd("--hold-stop", *options, **sections)


def conf_text(sections):
    if isinstance(sections, (str, bytes)):
        return sections
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"
