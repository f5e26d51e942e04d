# SPDX-License-Identifier: MIT
"""Python's heapq on the deadlines of the figure: print the array after each push."""

import heapq

heap: list[int] = []
for deadline in (5, 3, 4, 2, 6):
    heapq.heappush(heap, deadline)
    print(heap)
print([heapq.heappop(heap) for _ in range(5)])
