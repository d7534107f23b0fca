// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.BadFileException;
import org.lyapunov4j.samples.model.ModelFile;

/**
 * The saved models that were named, by the iterations at which they were saved.
 *
 * @param models one for each iteration, in their order
 * @param refusals complaints about the others
 */
record CheckpointQueue(List<ModelFile> models, List<String> refusals) {

  /**
   * Looks at files and at the {@code .zip} files in folders.
   *
   * @throws IllegalArgumentException if there are none
   * @throws IOException if a folder cannot be read
   */
  static CheckpointQueue of(Collection<Path> places) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        List<Path> found = zips(place);
        Input.require(
            !found.isEmpty(),
            "%s must hold models as .zip files, got none; name the folder of a CheckpointListener",
            place);
        files.addAll(found);
      } else {
        files.add(place);
      }
    }
    return read(files);
  }

  private static List<Path> zips(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".zip")).sorted().toList();
    }
  }

  private static CheckpointQueue read(List<Path> files) throws IOException {
    Map<Integer, ModelFile> models = new TreeMap<>();
    List<String> refusals = new ArrayList<>();
    for (Path file : files.stream().distinct().toList()) {
      try {
        ModelFile model = ModelFile.open(file);
        ModelFile other = models.putIfAbsent(model.iteration(), model);
        if (other != null) {
          refusals.add(
              String.format(
                  "%s: every model must be of another iteration, got %d as in %s; leave one out",
                  file, model.iteration(), other.file().getFileName()));
        }
      } catch (BadFileException e) {
        refusals.add(e.getMessage());
      }
    }
    return new CheckpointQueue(List.copyOf(models.values()), refusals);
  }
}
