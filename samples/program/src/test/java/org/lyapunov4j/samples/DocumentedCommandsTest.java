// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.samples.ShellBlock.Command;
import picocli.CommandLine.ParameterException;

/**
 * Every command that the documentation shows runs in continuous integration or says how long it
 * takes. Those of this program that say nothing are run by {@link DocumentedCommandsIT}.
 */
class DocumentedCommandsTest {
  static final Path JAR = Path.of("samples/program/target/lyapunov4j.jar");

  @Test
  void everyCommandOfThisProgramIsOneItKnows() throws IOException {
    List<String> mistakes = new ArrayList<>();
    int known = 0;
    for (ShellBlock block : ShellBlock.all()) {
      for (Command command : block.commands()) {
        if (command.line().contains("lyapunov4j.jar")) {
          try {
            assertThat(command.starts(JAR)).as("%s: %s", block.page(), command).isTrue();
            Main.commandLine().parseArgs(command.arguments());
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

  @Test
  void everyOtherCommandSaysHowLongItTakes() throws IOException {
    List<String> silent = new ArrayList<>();
    for (ShellBlock block : ShellBlock.all()) {
      for (Command command : block.commands()) {
        if (!command.starts(JAR) && !command.saysHowLong()) {
          silent.add(block.page() + ": " + command);
        }
      }
    }
    assertThat(silent).as("a remark such as '# two minutes' says how long").isEmpty();
  }
}
