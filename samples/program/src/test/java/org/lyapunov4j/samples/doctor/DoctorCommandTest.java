// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.gram.NativeSelfTest;
import org.lyapunov4j.gram.NativeSelfTest.Result;
import picocli.CommandLine;

class DoctorCommandTest {
  private final StringWriter out = new StringWriter();

  private int status(DoctorCommand command, String... options) {
    return new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setOut(new PrintWriter(out, true))
        .execute(options);
  }

  private static DoctorCommand wrong() {
    return new DoctorCommand(
        () ->
            List.of(
                new Result("dsyevd", 64, true),
                new Result("gemm", 64, true),
                new Result("dsyevd", 65, false),
                new Result("gemm", 65, true),
                new Result("dsyevd", 100, false)));
  }

  @Test
  void aRightMachineIsDescribedAndFoundRight() {
    int status = status(new DoctorCommand());

    assertThat(status).isZero();
    assertThat(out.toString())
        .contains("backend        CpuBackend", "OpenBLAS 0.3.28", "threads", "GB in the heap")
        .containsPattern("LAPACK's dsyevd, eigenvectors +right")
        .containsPattern("ND4J's gemm, FLOAT +right")
        .endsWith("all routines are right\n")
        .doesNotContain("WRONG");
  }

  @Test
  void aWrongRoutineIsNamedWithItsSizesAndTheRemedy() {
    int status = status(wrong());

    assertThat(status).isEqualTo(1);
    assertThat(out.toString())
        .contains("dsyevd  WRONG for 65, 100 rows\n", "gemm    right\n", "OPENBLAS_CORETYPE=");
  }

  @Test
  void jsonHasTheSame() throws IOException {
    int status = status(wrong(), "--format=json");

    JsonNode record = new ObjectMapper().readTree(out.toString());
    assertThat(status).isEqualTo(1);
    assertThat(record.get("right").booleanValue()).isFalse();
    assertThat(record.get("backend").textValue()).isEqualTo("CpuBackend");
    assertThat(record.get("threads").intValue()).isPositive();
    assertThat(record.get("heapBytes").longValue()).isEqualTo(Runtime.getRuntime().maxMemory());
    assertThat(record.get("routines").get(0).toString())
        .isEqualTo("{\"name\":\"dsyevd\",\"sizes\":[64,65,100],\"wrongAt\":[65,100]}");
  }

  @Test
  void everyRoutineIsTriedBelowAndAboveTheSizesWhereLibrariesChangeTheirCode() {
    assertThat(NativeSelfTest.run().stream().filter(result -> result.size() == 65)).isNotEmpty();
    assertThat(NativeSelfTest.run().stream().filter(result -> result.size() > 128)).isNotEmpty();
  }
}
