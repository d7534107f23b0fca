// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.lyapunov4j.gram.NativeLibrary;
import org.lyapunov4j.gram.NativeSelfTest;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * What was found on this machine.
 *
 * @param processor its name and architecture
 * @param avx512 whether it says it has AVX-512; absent where it does not say
 * @param processors that the JVM may use
 * @param java the version of the JVM
 * @param backend of ND4J
 * @param openBlas its version; absent without one
 * @param kernel the processor that OpenBLAS chose its kernels for; absent if it has one kind only
 * @param coreType the environment variable OPENBLAS_CORETYPE, if set
 * @param threads that ND4J computes with
 * @param heapBytes the limit of the Java heap
 * @param offHeapBytes the limit of JavaCPP for memory outside the heap; 0 for none
 * @param processBytes the limit of JavaCPP for the process; 0 for none
 * @param routines what the self-test found of each
 * @param right whether all are right
 */
record DoctorRecord(
    String processor,
    Boolean avx512,
    int processors,
    String java,
    String backend,
    String openBlas,
    String kernel,
    String coreType,
    int threads,
    long heapBytes,
    long offHeapBytes,
    long processBytes,
    List<Routine> routines,
    boolean right) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** {@inheritDoc} */
  DoctorRecord {
    routines = List.copyOf(routines);
  }

  /**
   * A routine of the native library.
   *
   * @param name for people
   * @param sizes rows of the matrices it was tried with
   * @param wrongAt those of them where its result was wrong
   */
  record Routine(String name, List<Integer> sizes, List<Integer> wrongAt) {
    /** {@inheritDoc} */
    Routine {
      sizes = List.copyOf(sizes);
      wrongAt = List.copyOf(wrongAt);
    }
  }

  static DoctorRecord of(List<NativeSelfTest.Result> results) throws IOException {
    List<String> cpu = Files.isReadable(CPU_INFO) ? Files.readAllLines(CPU_INFO) : List.of();
    Stream<String> models = cpu.stream().filter(line -> line.startsWith("model name"));
    String model = models.findFirst().map(line -> line.split(":", 2)[1].strip() + ", ").orElse("");
    List<Routine> routines = routines(results);
    return new DoctorRecord(
        model + System.getProperty("os.arch"),
        cpu.isEmpty() ? null : cpu.stream().anyMatch(line -> line.contains(" avx512f")),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
        Nd4j.getBackend().getClass().getSimpleName(),
        NativeLibrary.version().orElse(null),
        NativeLibrary.kernel().orElse(null),
        System.getenv("OPENBLAS_CORETYPE"),
        NativeOpsHolder.getInstance().getDeviceNativeOps().ompGetMaxThreads(),
        Runtime.getRuntime().maxMemory(),
        Pointer.maxBytes(),
        Pointer.maxPhysicalBytes(),
        routines,
        routines.stream().allMatch(routine -> routine.wrongAt().isEmpty()));
  }

  private static List<Routine> routines(List<NativeSelfTest.Result> results) {
    Map<String, List<NativeSelfTest.Result>> byName = new LinkedHashMap<>();
    results.forEach(
        result -> byName.computeIfAbsent(result.routine(), name -> new ArrayList<>()).add(result));
    List<Routine> routines = new ArrayList<>();
    byName.forEach(
        (name, all) ->
            routines.add(
                new Routine(
                    name,
                    all.stream().map(NativeSelfTest.Result::size).toList(),
                    all.stream()
                        .filter(result -> !result.right())
                        .map(NativeSelfTest.Result::size)
                        .toList())));
    return routines;
  }
}
