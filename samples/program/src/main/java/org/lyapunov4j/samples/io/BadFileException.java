// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that cannot be used; the message is one line with the rule, what was found and the remedy.
 */
public final class BadFileException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * A complaint about a file.
   *
   * @param file which one
   * @param complaint rule, what was found, remedy
   */
  public BadFileException(Path file, String complaint) {
    this(file.toString(), complaint);
  }

  /**
   * A complaint about a file or an entry of an archive.
   *
   * @param place which one, as the user wrote it
   * @param complaint rule, what was found, remedy
   */
  public BadFileException(String place, String complaint) {
    super(place + ": " + complaint);
  }
}
