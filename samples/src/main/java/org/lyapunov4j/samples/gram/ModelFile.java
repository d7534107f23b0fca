// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.gram;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.lyapunov4j.samples.io.BadFileException;

/** Models as Deeplearning4j's {@code ModelSerializer} writes them. */
final class ModelFile {
  private static final String CONFIGURATION = "configuration.json";
  private static final int LONGEST_CONFIGURATION = 1 << 24;
  private static final String REMEDY = "save it with ModelSerializer.writeModel";

  private ModelFile() {}

  /**
   * Reads a model without the state of its updater.
   *
   * @throws BadFileException if it is missing, damaged or of another kind
   */
  static Model read(Path file) throws IOException {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new BadFileException(file, "the model must be a readable file; check the path");
    }
    boolean graph = isGraph(file);
    try {
      return graph
          ? ModelSerializer.restoreComputationGraph(file.toFile(), false)
          : ModelSerializer.restoreMultiLayerNetwork(file.toFile(), false);
    } catch (IOException | RuntimeException e) {
      throw new BadFileException(
          file, "Deeplearning4j cannot read the model (" + e.getMessage() + "); " + REMEDY);
    }
  }

  private static boolean isGraph(Path file) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      ZipEntry entry = zip.getEntry(CONFIGURATION);
      if (entry == null) {
        throw new BadFileException(
            file, "a model must hold " + CONFIGURATION + ", got a zip archive without; " + REMEDY);
      }
      byte[] text = zip.getInputStream(entry).readNBytes(LONGEST_CONFIGURATION);
      return new String(text, StandardCharsets.UTF_8).contains("\"networkInputs\"");
    } catch (ZipException e) {
      throw new BadFileException(
          file, "a model must be a zip archive, got another kind of file; " + REMEDY);
    }
  }
}
