// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import java.io.IOException;
import java.nio.file.Path;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.NpyArray;
import org.lyapunov4j.samples.io.NpyFile;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Option;

/** The options with which a command takes examples from files. */
public final class ExampleOptions {
  @Option(
      names = "--features",
      paramLabel = "X.npy",
      description = "The examples, first axis N, in the shape that the model takes.")
  private Path features;

  @Option(
      names = "--labels",
      paramLabel = "Y.npy",
      description = "Their labels, in the shape of the model's output.")
  private Path labels;

  @Option(
      names = "--features-mask",
      paramLabel = "M.npy",
      description = "Zeros and ones: which time steps of the features count.")
  private Path featuresMask;

  @Option(
      names = "--labels-mask",
      paramLabel = "M.npy",
      description = "Zeros and ones: which labels count.")
  private Path labelsMask;

  /** No examples yet. */
  public ExampleOptions() {}

  /**
   * Reads the examples.
   *
   * @return features and labels with N ≥ 1 examples each, with the masks that were given
   * @throws IOException if a file cannot be read or used
   * @throws IllegalArgumentException if options are missing or contradict each other
   */
  public DataSet read() throws IOException {
    Input.require(
        features != null && labels != null,
        "--features and --labels must be given, got %s and %s",
        features,
        labels);
    DataSet data =
        new DataSet(array(features), array(labels), array(featuresMask), array(labelsMask));
    Input.require(
        data.getFeatures().size(0) == data.getLabels().size(0),
        "--features and --labels must have as many examples, got %d and %d; check the files",
        data.getFeatures().size(0),
        data.getLabels().size(0));
    return data;
  }

  private static INDArray array(Path file) throws IOException {
    if (file == null) {
      return null;
    }
    NpyArray array = NpyFile.readArray(file);
    INDArray flat =
        array.isSinglePrecision()
            ? Nd4j.createFromArray(array.floats())
            : Nd4j.createFromArray(array.doubles());
    return flat.reshape(array.columnMajor() ? 'f' : 'c', array.shape());
  }
}
