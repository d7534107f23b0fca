// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.lyapunov4j.samples.io.BadFileException;

/**
 * A model as Deeplearning4j's {@code ModelSerializer} writes it. Only the configuration, the
 * parameters and the state of the updater are used, and the arrays only after {@link ModelArchive}
 * has checked them; normalisers, preprocessors and other serialised Java objects in the archive are
 * never read.
 *
 * @param file where
 * @param isGraph whether it is a {@code ComputationGraph}
 * @param iteration the iteration counter when it was saved
 * @param parameterBytes size of the parameters
 * @param updaterBytes size of the updater's state; 0 if it was not saved
 */
public record ModelFile(
    Path file, boolean isGraph, int iteration, long parameterBytes, long updaterBytes) {
  /**
   * Where the classes are that Deeplearning4j writes into a configuration. It loads, and so
   * initialises, whatever class a file names before it asks what that is.
   */
  private static final List<String> PACKAGES =
      List.of(
          "org.deeplearning4j.nn.conf.",
          "org.deeplearning4j.nn.weights.",
          "org.deeplearning4j.nn.modelimport.keras.",
          "org.nd4j.linalg.activations.impl.",
          "org.nd4j.linalg.learning.config.",
          "org.nd4j.linalg.learning.regularization.",
          "org.nd4j.linalg.lossfunctions.impl.",
          "org.nd4j.linalg.schedule.");

  /** Deeper than any network of Deeplearning4j's. */
  private static final int DEEPEST = 100;

  private static final String REMEDY = "save it with ModelSerializer.writeModel";

  /**
   * Checks a file without restoring the model.
   *
   * @param file any
   * @return what it holds
   * @throws BadFileException if it is missing, damaged or of another kind
   * @throws IOException if reading fails for another reason
   */
  public static ModelFile open(Path file) throws IOException {
    try (ModelArchive archive = ModelArchive.open(file)) {
      boolean graph = false;
      int iteration = 0;
      requireKnownClasses(file, archive.configuration());
      try (JsonParser json = new JsonFactory().createParser(archive.configuration())) {
        if (json.nextToken() != JsonToken.START_OBJECT) {
          throw new BadFileException(file, "its configuration must be a JSON object; " + REMEDY);
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String name = json.currentName();
          JsonToken value = json.nextToken();
          graph |= name.equals("networkInputs");
          if (name.equals("iterationCount") && value == JsonToken.VALUE_NUMBER_INT) {
            iteration = json.getIntValue();
          }
          json.skipChildren();
        }
      } catch (JsonProcessingException e) {
        throw noJson(file, e);
      }
      return new ModelFile(
          file, graph, iteration, archive.parameterBytes(), archive.updaterBytes());
    }
  }

  private static BadFileException noJson(Path file, JsonProcessingException e) {
    return new BadFileException(
        file, "its configuration must be JSON, got " + e.getOriginalMessage() + "; " + REMEDY);
  }

  private static void requireKnownClasses(Path file, byte[] configuration) throws IOException {
    int depth = 0;
    try (JsonParser json = new JsonFactory().createParser(configuration)) {
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        if (depth > DEEPEST) {
          throw new BadFileException(
              file, "its configuration must nest at most " + DEEPEST + " deep; " + REMEDY);
        }
        if (token == JsonToken.VALUE_STRING && "@class".equals(json.currentName())) {
          requireKnownClass(file, json.getText());
        }
      }
    } catch (JsonProcessingException e) {
      throw noJson(file, e);
    }
  }

  private static void requireKnownClass(Path file, String name) throws BadFileException {
    if (PACKAGES.stream().noneMatch(name::startsWith)) {
      throw new BadFileException(
          file,
          "its configuration must name classes of Deeplearning4j's layers only, got '"
              + (name.length() > 100 ? name.substring(0, 100) + "…" : name)
              + "', which is not loaded; analyse it in a program of your own");
    }
  }

  /**
   * Restores the model.
   *
   * @param withUpdater whether the state of the updater is wanted too
   * @return a {@code MultiLayerNetwork} or {@code ComputationGraph}
   * @throws BadFileException if Deeplearning4j cannot read it
   * @throws IOException if reading fails for another reason
   */
  public Model restore(boolean withUpdater) throws IOException {
    Path checked = Files.createTempFile("lyapunov4j", ".zip");
    try (ModelArchive archive = ModelArchive.open(file)) {
      archive.copyTo(checked, withUpdater);
      File copy = checked.toFile();
      return isGraph
          ? ModelSerializer.restoreComputationGraph(copy, withUpdater)
          : ModelSerializer.restoreMultiLayerNetwork(copy, withUpdater);
    } catch (BadFileException e) {
      throw e;
    } catch (IOException | RuntimeException | LinkageError | StackOverflowError e) {
      throw new BadFileException(
          file,
          "Deeplearning4j cannot read the model ("
              + ModelArchive.reason(e).split("\\R", 2)[0]
              + "); "
              + REMEDY);
    } finally {
      Files.deleteIfExists(checked);
    }
  }
}
