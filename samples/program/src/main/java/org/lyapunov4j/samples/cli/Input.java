// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.lyapunov4j.samples.io.BadFileException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * Marks where what the user gave is checked: a refusal there is the user's to mend, anywhere else
 * it is a bug.
 */
public final class Input {
  private Input() {}

  /**
   * Runs a check or a conversion of what the user gave.
   *
   * @param spec the running command
   * @param check throws {@link IllegalArgumentException} or {@link BadFileException} for bad input
   * @return its result
   * @param <T> what the input becomes
   * @throws IOException if reading fails for another reason
   * @throws ParameterException for bad input, with the same message
   */
  public static <T> T accept(CommandSpec spec, Callable<T> check) throws IOException {
    try {
      return check.call();
    } catch (IllegalArgumentException | BadFileException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Refuses input that breaks a rule.
   *
   * @param rule whether it is kept
   * @param message rule, value received, remedy; a {@link String#format} pattern
   * @param values for the pattern
   * @throws IllegalArgumentException with the message if the rule is broken
   */
  public static void require(boolean rule, String message, Object... values) {
    if (!rule) {
      throw new IllegalArgumentException(String.format(java.util.Locale.ROOT, message, values));
    }
  }
}
