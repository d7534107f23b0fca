// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.lyapunov4j.dl4j.gram.TopEigenpairs;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a run that trains a network stands, so that it goes on in another process as if it had not
 * been cut short: the network with its updater, a file of Deeplearning4j's format, with one more
 * entry in it for the step, the curves and what the sharpness and the listener go on from. The file
 * is replaced as a whole.
 *
 * @param network with its updater
 * @param position the rest
 */
record RunState(MultiLayerNetwork network, Position position) {
  private static final String POSITION = "position.json";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Logger LOG = LoggerFactory.getLogger(RunState.class);

  /**
   * What the network does not know.
   *
   * @param settings of the run; a state of others is none
   * @param iterations steps taken
   * @param curves of the checkpoints so far
   * @param eigenpairs that the next sharpness starts from, by name
   * @param edge the text of the file {@code .edge} beside the listener's record; empty if there is
   *     none
   */
  record Position(
      Map<String, String> settings,
      int iterations,
      Map<String, List<Double>> curves,
      Map<String, TopEigenpairs> eigenpairs,
      String edge) {}

  /** Of a run without a listener. */
  static RunState withoutRecord(
      MultiLayerNetwork network,
      Map<String, String> settings,
      int iterations,
      Map<String, List<Double>> curves) {
    return new RunState(network, new Position(settings, iterations, curves, Map.of(), ""));
  }

  /** Where the listener keeps the edge beside its record. */
  private static Path edgeOf(Path record) {
    return record.resolveSibling(record.getFileName() + ".edge");
  }

  /** What the listener has kept of the edge; empty if nothing. */
  static String edge(Path record) throws IOException {
    try {
      return Files.readString(edgeOf(record));
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  /** Puts the edge back beside a record that has gone on since. */
  void restoreEdge(Path record) throws IOException {
    if (position.edge().isEmpty()) {
      Files.deleteIfExists(edgeOf(record));
    } else {
      Files.writeString(edgeOf(record), position.edge());
    }
  }

  /** Replaces the state in a file. */
  void write(Path file) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + ".part");
    ModelSerializer.writeModel(network, unfinished.toFile(), true);
    try (FileSystem zip = FileSystems.newFileSystem(unfinished);
        OutputStream out = Files.newOutputStream(zip.getPath(POSITION))) {
      JSON.writeValue(out, position);
    }
    Files.move(
        unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * The state in a file. The configuration is that of the run, not the one in the file:
   * Deeplearning4j cannot read every one that it writes ({@code RampSchedule}).
   *
   * @param settings of the run that goes on
   * @param network as the run begins with it; takes parameters, updater and step from the file
   * @return absent if there is no file, or it is damaged or of a run with other settings: the run
   *     begins anew then, with the network as it was
   */
  static Optional<RunState> read(
      Path file, Map<String, String> settings, MultiLayerNetwork network) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (FileSystem zip = FileSystems.newFileSystem(file)) {
      Position position;
      try (InputStream in = Files.newInputStream(zip.getPath(POSITION))) {
        position = JSON.readValue(in, Position.class);
      }
      if (!position.settings().equals(settings)) {
        return Optional.empty();
      }
      INDArray parameters = array(zip, ModelSerializer.COEFFICIENTS_BIN).orElseThrow();
      Optional<INDArray> updater = array(zip, ModelSerializer.UPDATER_BIN);
      network.setParams(parameters);
      updater.ifPresent(found -> network.getUpdater().setStateViewArray(network, found, false));
      network.setIterationCount(position.iterations());
      return Optional.of(new RunState(network, position));
    } catch (IOException | RuntimeException e) {
      LOG.error("{} cannot be read, and its run begins anew", file, e);
      return Optional.empty();
    }
  }

  private static Optional<INDArray> array(FileSystem zip, String entry) throws IOException {
    try (InputStream in = Files.newInputStream(zip.getPath(entry))) {
      return Optional.of(Nd4j.read(in));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }
}
