// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.samples.ShellBlock;
import org.lyapunov4j.samples.ShellBlock.Command;
import org.lyapunov4j.samples.cli.Launcher;
import picocli.CommandLine.ParameterException;

/** That they say how long they take is checked where the commands of the program are. */
class DocumentedCommandsTest {
  private static final Path JAR = Path.of("samples/experiments/target/experiments.jar");

  @Test
  void everyExperimentIsOneThatThereIs() throws IOException {
    List<String> names = Experiments.ALL.stream().map(Experiment::name).toList();
    List<String> mistakes = new ArrayList<>();
    int known = 0;
    for (ShellBlock block : ShellBlock.all()) {
      for (Command command : block.commands()) {
        if (command.line().contains("experiments.jar")) {
          assertThat(command.starts(JAR)).as("%s: %s", block.page(), command).isTrue();
          try {
            Launcher.commandLine(new ExperimentCommand()).parseArgs(command.arguments());
            assertThat(names).as("%s: %s", block.page(), command).contains(command.arguments()[0]);
            known++;
          } catch (ParameterException e) {
            mistakes.add(block.page() + ": " + command + ": " + e.getMessage());
          }
        }
      }
    }
    assertThat(mistakes).isEmpty();
    assertThat(known).isGreaterThan(5);
  }
}
