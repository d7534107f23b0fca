// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Where the driver keeps every result as soon as it has it: one file each, complete or not there.
 */
final class ResultFolder {
  private static final String QUESTION = "question.txt";

  private final FileSystem files;
  private final Path folder;

  /**
   * Opens a folder.
   *
   * @param place where; null to keep nothing
   * @param question what is computed, in a line: what was kept for another question is no answer
   */
  ResultFolder(String place, String question, Configuration hadoop) throws IOException {
    folder = place == null ? null : new Path(place);
    files = place == null ? null : folder.getFileSystem(hadoop);
    if (folder != null) {
      files.mkdirs(folder);
      Optional<String> before = content(QUESTION);
      if (before.isPresent() && !before.get().equals(question)) {
        throw new IllegalArgumentException(
            "results must be of one question, got\n  "
                + question
                + "\nbut "
                + folder
                + " holds those of\n  "
                + before.get()
                + "\nTake another folder, or the same settings and data.");
      }
      create(QUESTION, question);
    }
  }

  Optional<String> read(String name) throws IOException {
    return content(name + ".json");
  }

  void write(String name, String json) throws IOException {
    create(name + ".json", json);
  }

  private Optional<String> content(String name) throws IOException {
    if (folder == null || !files.exists(new Path(folder, name))) {
      return Optional.empty();
    }
    try (InputStream stream = files.open(new Path(folder, name))) {
      return Optional.of(new String(stream.readAllBytes(), StandardCharsets.UTF_8).strip());
    }
  }

  private void create(String name, String text) throws IOException {
    Path target = folder == null ? null : new Path(folder, name);
    if (target == null || files.exists(target)) {
      return;
    }
    Path part = new Path(folder, "_" + name); // a name that Spark and Hadoop take for unfinished
    try (OutputStream stream = files.create(part, true)) {
      stream.write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }
    if (!files.rename(part, target)) {
      throw new IOException("cannot rename " + part + " to " + target);
    }
  }
}
