// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.doctor;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.gram.NativeLibrary;
import org.lyapunov4j.gram.NativeSelfTest;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Tells what this machine computes with, and whether it computes right. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Shows processor, backend, OpenBLAS and its kernels, threads and memory, and tests every native"
          + " routine of linear algebra that the program uses.",
      "The status is 1 if one of them is wrong."
    })
public final class DoctorCommand implements Callable<Integer> {
  enum Format {
    TEXT,
    JSON
  }

  private final Supplier<List<NativeSelfTest.Result>> selfTest;

  @Option(
      names = "--format",
      defaultValue = "text",
      paramLabel = "FORMAT",
      description = "text or json.")
  private Format format;

  @Spec private CommandSpec spec;

  /** The command. */
  public DoctorCommand() {
    this(NativeSelfTest::run);
  }

  /** With a test of its own. */
  DoctorCommand(Supplier<List<NativeSelfTest.Result>> selfTest) {
    this.selfTest = selfTest;
  }

  @Override
  public Integer call() throws IOException {
    DoctorRecord record = DoctorRecord.of(selfTest.get());
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      out.println(Json.pretty(record));
    } else {
      print(out, record);
    }
    out.flush();
    return record.right() ? ExitCode.OK : ExitCode.SOFTWARE;
  }

  private static void print(PrintWriter out, DoctorRecord record) {
    String avx512 = record.avx512() == null ? "" : record.avx512() ? ", AVX-512" : ", no AVX-512";
    line(out, "processor", record.processor() + avx512);
    line(out, "Java", record.java() + ", " + record.processors() + " processors");
    line(out, "backend", record.backend());
    line(out, "OpenBLAS", record.openBlas() == null ? "none" : record.openBlas());
    line(
        out,
        "kernel",
        (record.kernel() == null ? "unknown" : record.kernel())
            + (record.coreType() == null ? "" : " (OPENBLAS_CORETYPE=" + record.coreType() + ")"));
    line(out, "threads", record.threads() + " of ND4J");
    line(
        out,
        "memory",
        String.format(
            Locale.ROOT,
            "%s in the heap, %s outside, %s for the process",
            limit(record.heapBytes()),
            limit(record.offHeapBytes()),
            limit(record.processBytes())));
    out.println();
    int width = record.routines().stream().mapToInt(r -> r.name().length()).max().orElse(0);
    for (DoctorRecord.Routine routine : record.routines()) {
      out.printf(Locale.ROOT, "%-" + (width + 2) + "s%s%n", routine.name(), finding(routine));
    }
    out.println();
    out.println(
        record.right()
            ? "all routines are right"
            : "Results are checked, and wrong ones replaced; but training uses them too. Remedy: "
                + NativeLibrary.REMEDY);
  }

  private static void line(PrintWriter out, String name, String value) {
    out.printf(Locale.ROOT, "%-14s %s%n", name, value);
  }

  private static String limit(long bytes) {
    return bytes <= 0 ? "no limit" : String.format(Locale.ROOT, "%.1f GB", bytes * 0x1p-30);
  }

  private static String finding(DoctorRecord.Routine routine) {
    return routine.wrongAt().isEmpty()
        ? "right"
        : "WRONG for "
            + routine.wrongAt().stream().map(String::valueOf).collect(Collectors.joining(", "))
            + " rows";
  }
}
