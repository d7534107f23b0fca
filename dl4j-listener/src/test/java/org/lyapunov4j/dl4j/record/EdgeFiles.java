// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Reads and writes what lies beside a record, for tests of other packages. */
public final class EdgeFiles {
  private EdgeFiles() {}

  /**
   * What the next search would start from.
   *
   * @param record the record's file
   * @return empty if there is nothing
   * @throws IOException if it is damaged
   */
  public static Optional<EdgeState> read(Path record) throws IOException {
    return new EdgeFile(record).read();
  }

  /**
   * Replaces it.
   *
   * @param record the record's file
   * @param state to be there afterwards
   * @throws IOException if it could not be written
   */
  public static void write(Path record, EdgeState state) throws IOException {
    new EdgeFile(record).write(state);
  }
}
