// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.AnalysisSettings;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

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

  /** Else the same model has other numbers in a command than in a listener's record. */
  @Test
  void everySeedIsByDefaultThatOfTheListener() {
    Map<String, OptionSpec> seeds = new TreeMap<>();
    Main.commandLine()
        .getSubcommands()
        .forEach(
            (name, command) ->
                command.getCommandSpec().options().stream()
                    .filter(option -> List.of(option.names()).contains("--seed"))
                    .forEach(option -> seeds.put(name, option)));
    String seed = String.valueOf(AnalysisSettings.standard().seed());

    assertThat(seeds).containsOnlyKeys("analyze", "exponent", "train", "what-if");
    seeds.forEach(
        (name, option) -> {
          assertThat(option.defaultValue()).as(name).isEqualTo(seed);
          assertThat(Outcome.of(name, "--help").out().replaceAll("\\s+", " "))
              .containsPattern("--seed=SEED .{1,80}Default: " + seed + " ");
        });
  }

  @Test
  void refusesUnknownCommandsInOneLine() {
    Outcome outcome = Outcome.of("dance");

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).isEqualTo("lyapunov4j: Unmatched argument at index 0: 'dance'\n");
  }
}
