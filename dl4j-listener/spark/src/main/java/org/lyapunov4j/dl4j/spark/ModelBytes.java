// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.shade.jackson.core.JsonFactory;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonToken;

/**
 * Models as {@code ModelSerializer} writes them. Of the archive only configuration, parameters and
 * the updater's state are used: Deeplearning4j would deserialise the Java objects beside them.
 */
final class ModelBytes {
  private static final String CONFIGURATION = "configuration.json";
  private static final String PARAMETERS = "coefficients.bin";
  private static final Set<String> USED = Set.of(CONFIGURATION, PARAMETERS, "updaterState.bin");

  private ModelBytes() {}

  static byte[] of(Model model) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ModelSerializer.writeModel(model, bytes, true);
    return bytes.toByteArray();
  }

  /**
   * Restores a model.
   *
   * @throws IOException naming the rule, if the bytes are no model
   */
  static Model restore(byte[] archive) throws IOException {
    ByteArrayOutputStream copy = new ByteArrayOutputStream(archive.length);
    Set<String> seen = new TreeSet<>();
    boolean graph = false;
    try (ZipInputStream source = new ZipInputStream(new ByteArrayInputStream(archive));
        ZipOutputStream target = new ZipOutputStream(copy)) {
      for (ZipEntry entry = source.getNextEntry(); entry != null; entry = source.getNextEntry()) {
        if (USED.contains(entry.getName()) && seen.add(entry.getName())) {
          byte[] content = source.readAllBytes();
          graph |= entry.getName().equals(CONFIGURATION) && isGraph(content);
          target.putNextEntry(new ZipEntry(entry.getName()));
          target.write(content);
        }
      }
    } catch (IOException e) {
      throw broken(e);
    }
    if (!seen.contains(CONFIGURATION) || !seen.contains(PARAMETERS)) {
      throw new IOException(
          "a model must hold configuration.json and coefficients.bin, got an archive of "
              + seen
              + "; save it with ModelSerializer.writeModel");
    }
    try {
      ByteArrayInputStream bytes = new ByteArrayInputStream(copy.toByteArray());
      return graph
          ? ModelSerializer.restoreComputationGraph(bytes, true)
          : ModelSerializer.restoreMultiLayerNetwork(bytes, true);
    } catch (IOException | RuntimeException e) {
      throw broken(e);
    }
  }

  private static IOException broken(Exception cause) {
    return new IOException(
        "the model cannot be read ("
            + Jobs.reason(cause)
            + "); save it with ModelSerializer.writeModel",
        cause);
  }

  /** Only graphs have inputs with names. */
  private static boolean isGraph(byte[] configuration) throws IOException {
    try (JsonParser json = new JsonFactory().createParser(configuration)) {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        if (json.getCurrentName().equals("networkInputs")) {
          return true;
        }
        json.nextToken();
        json.skipChildren();
      }
      return false;
    }
  }
}
