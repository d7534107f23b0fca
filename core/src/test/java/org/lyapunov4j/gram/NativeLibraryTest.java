// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class NativeLibraryTest {
  @Test
  void theLogIsToldOnceWithTheRemedy() {
    PrintStream terminal = System.err;
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
    try {
      NativeLibrary.warn("a first fault");
      NativeLibrary.warn("a second fault");
    } finally {
      System.setErr(terminal);
    }

    String told = log.toString(StandardCharsets.UTF_8);
    assertThat(told).contains("WARN").contains(NativeLibrary.REMEDY).doesNotContain("second");
    assertThat(told.lines()).hasSize(1);
  }

  @Test
  void theLibraryHasAVersion() {
    assertThat(NativeLibrary.version().orElseThrow()).matches("OpenBLAS \\d+\\.\\d+\\.\\d+");
    assertThat(NativeLibrary.kernel().orElse("ONE")).matches("[A-Z0-9_]+");
  }
}
