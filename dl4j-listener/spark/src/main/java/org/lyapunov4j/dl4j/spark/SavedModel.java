// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A model in a file that driver and executors can read.
 *
 * @param place with its file system
 * @param saved when, in milliseconds since 1970
 */
record SavedModel(String place, long bytes, long saved) implements Serializable {
  /** The largest array of bytes. */
  private static final long LARGEST = Integer.MAX_VALUE - 8;

  static SavedModel of(FileStatus file) {
    return new SavedModel(file.getPath().toString(), file.getLen(), file.getModificationTime());
  }

  /** The models of folders, ordered by time and place, and single files. */
  static List<SavedModel> all(List<String> places, Configuration hadoop) throws IOException {
    List<SavedModel> models = new ArrayList<>();
    for (String place : places) {
      Path path = new Path(place);
      FileSystem files = path.getFileSystem(hadoop);
      if (!files.exists(path)) {
        throw new IllegalArgumentException(
            "models must be files or folders, got "
                + place
                + ", which is not there; check the path, which executors must see too");
      }
      if (files.getFileStatus(path).isFile()) {
        models.add(of(files.getFileStatus(path)));
        continue;
      }
      List<SavedModel> folder = new ArrayList<>();
      for (FileStatus file : files.listStatus(path)) {
        if (file.isFile() && file.getPath().getName().endsWith(".zip")) {
          folder.add(of(file));
        }
      }
      folder.sort(Comparator.comparingLong(SavedModel::saved).thenComparing(SavedModel::place));
      models.addAll(folder);
    }
    if (models.isEmpty()) {
      throw new IllegalArgumentException(
          "models must be .zip files in the folders given, got none in " + places);
    }
    return models;
  }

  /** Unlike for any other file, and for this one if it is written again. */
  String name() {
    String file = new Path(place).getName().replaceFirst("\\.zip$", "");
    return file + "-" + Integer.toHexString(place.hashCode()) + "-" + bytes + "-" + saved;
  }

  Instant time() {
    return Instant.ofEpochMilli(saved);
  }

  byte[] read(byte[] hadoop) throws IOException {
    if (bytes > LARGEST) {
      throw new IOException(
          "a model must have at most " + LARGEST + " bytes, got " + bytes + "; save a smaller one");
    }
    Configuration configuration = new Configuration(false);
    configuration.readFields(new DataInputStream(new ByteArrayInputStream(hadoop)));
    Path path = new Path(place);
    try (InputStream stream = path.getFileSystem(configuration).open(path)) {
      return stream.readAllBytes();
    }
  }

  /** How executors reach the file systems of the driver. */
  static byte[] bytes(Configuration hadoop) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    hadoop.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }
}
