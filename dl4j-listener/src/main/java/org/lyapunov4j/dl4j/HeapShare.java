// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.Comparator;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * What a checkpoint in the background may take of the heap while training goes on: half of what is
 * free, and half as much again after each time that was too much. What is free is what the latest
 * garbage collection left; what became garbage since is not in use. Thread-safe.
 */
final class HeapShare {
  private final LongSupplier free;
  private volatile double share = 0.5;

  HeapShare() {
    this(HeapShare::freeNow);
  }

  /**
   * For tests.
   *
   * @param free bytes
   */
  HeapShare(LongSupplier free) {
    this.free = free;
  }

  boolean allows(long bytes) {
    return bytes <= share * free.getAsLong();
  }

  /** Tells that a checkpoint ran out of memory. */
  synchronized void backOff() {
    share /= 2;
  }

  private static long freeNow() {
    return Runtime.getRuntime().maxMemory() - inUse();
  }

  private static long inUse() {
    Map<String, MemoryType> types =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .collect(Collectors.toMap(MemoryPoolMXBean::getName, MemoryPoolMXBean::getType));
    Runtime runtime = Runtime.getRuntime();
    long filled = runtime.totalMemory() - runtime.freeMemory();
    return ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class).stream()
        .map(GarbageCollectorMXBean::getLastGcInfo)
        .filter(info -> info != null)
        .max(Comparator.comparingLong(GcInfo::getEndTime))
        .map(
            info ->
                info.getMemoryUsageAfterGc().entrySet().stream()
                    .filter(pool -> types.get(pool.getKey()) == MemoryType.HEAP)
                    .mapToLong(pool -> pool.getValue().getUsed())
                    .sum())
        .map(left -> Math.min(left, filled))
        .orElse(filled);
  }
}
