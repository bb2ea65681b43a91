"""Opening what people send, safely: PDF files and images become page probes, text layers and square views.

`child.Child` is the way in: it hands every byte to a process that can be killed, and raises `DocumentError` for what cannot be
done. Stage "open" concerns the whole document, stage "render" one page. The codes are stable:

| code | stage | meaning |
|---|---|---|
| `unreadable` | open | the file is missing or may not be read |
| `empty` | open | 0 bytes |
| `too_many_bytes` | open | larger than `limits.bytes` |
| `unknown_type` | open | the content is neither a PDF nor an image that can be read, whatever the name says |
| `damaged` | open, render | truncated or broken beyond repair |
| `password_needed` | open | encrypted, and no password was given |
| `password_wrong` | open | encrypted, and none of the passwords given opens it |
| `no_pages` | open | it opens, but holds no page: most often a truncated file |
| `too_many_pages` | open | more pages than `limits.pages` |
| `no_such_page` | render | the page index lies outside the document |
| `page_size` | render | the page has no area, or a size that no renderer can hold |
| `too_many_pixels` | open, render | an image of more pixels than `limits.pixels` |
| `repaired` | open | a remark and no failure: the file is broken, and what was found in it is read |
| `timeout` | open, render | it took longer than `limits.seconds_per_page` allows |
| `out_of_memory` | open, render | it needed more than `limits.memory` |
| `crashed` | open, render | the process that reads documents died of it |
"""
