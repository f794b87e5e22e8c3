"""Running a page of commands and snippets, and putting what they print into it."""

import pytest

from benchmarks.tutorial import outputs, steps, with_outputs

PAGE = """# A page

```sh
python -c "print(6 * 7)"
python -c "print('and more')"
```

```text
old
```

```python
number = 3
print("earlier")
```

```text
```

```
not run
```

```python
print(number + 1)
```

```text
5
```
"""


def test_a_page_is_run_in_order_and_gets_what_was_printed(tmp_path):
    todo = steps(PAGE)
    assert [(kind, shown) for kind, _, shown in todo] == [("sh", "old\n"), ("python", ""), ("python", "5\n")]
    printed = list(outputs(todo, tmp_path))
    assert printed == ["42\nand more\n", "earlier\n", "4\n"]
    made = with_outputs(PAGE, printed)
    assert [shown for _, _, shown in steps(made)] == printed
    assert made.replace("42\nand more\n", "old\n").replace("earlier\n```", "```").replace("4\n```", "5\n```") == PAGE


def test_what_prints_nothing_that_is_shown_and_what_is_no_python_is_refused(tmp_path):
    with pytest.raises(ValueError, match="followed by a block of text"):
        steps("```sh\npython -V\n```\n\n```sh\npython -V\n```\n")
    with pytest.raises(ValueError, match="'rm -r x' is run by the tutorial"):
        list(outputs([("sh", "rm -r x\n", "")], tmp_path))
