// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
  @Test
  void everyCommandExplainsItself() {
    for (String command : Main.commandLine().getSubcommands().keySet()) {
      Outcome outcome = Outcome.of(command, "--help");

      assertThat(outcome.status()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).startsWith("Usage: lyapunov4j " + command).contains("-h, --help");
    }
    assertThat(Outcome.of("--help").out())
        .contains("train", "exponent", "gram", "report", "Exit codes:");
    assertThat(Outcome.of("--version").out()).startsWith("lyapunov4j ");
  }

  @Test
  void everyOptionIsDescribed() {
    for (CommandLine command : Main.commandLine().getSubcommands().values()) {
      assertThat(command.getCommandSpec().options())
          .allSatisfy(option -> assertThat(option.description()).isNotEmpty());
    }
  }

  @Test
  void refusesUnknownCommandsInOneLine() {
    Outcome outcome = Outcome.of("dance");

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).isEqualTo("lyapunov4j: Unmatched argument at index 0: 'dance'\n");
  }
}
