// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import java.io.IOException;
import java.nio.file.Path;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.samples.io.DataSetFile;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.Option;

/** The options with which a command takes examples from files. */
public final class ExampleOptions {
  @Option(
      names = "--features",
      paramLabel = "X",
      description =
          "The examples, first axis N, in the shape that the model takes: "
              + ArrayFile.SYNTAX
              + ".")
  private String features;

  @Option(
      names = "--labels",
      paramLabel = "Y",
      description = "Their labels, in the shape of the model's output; a file as for --features.")
  private String labels;

  @Option(
      names = "--features-mask",
      paramLabel = "M",
      description = "Zeros and ones: which time steps of the features count.")
  private String featuresMask;

  @Option(
      names = "--labels-mask",
      paramLabel = "M",
      description = "Zeros and ones: which labels count.")
  private String labelsMask;

  @Option(
      names = "--dataset",
      paramLabel = "FILE",
      description = "Instead of these four, a file that DataSet.save wrote.")
  private Path dataSet;

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
    if (dataSet != null) {
      Input.require(
          features == null && labels == null && featuresMask == null && labelsMask == null,
          "--dataset must come without --features, --labels and masks, got both; leave one out");
      return requirePaired(DataSetFile.read(dataSet), "the data set's features and labels");
    }
    Input.require(
        features != null && labels != null,
        "--features and --labels must be given, got %s and %s; or give --dataset",
        features,
        labels);
    return requirePaired(
        new DataSet(array(features), array(labels), array(featuresMask), array(labelsMask)),
        "--features and --labels");
  }

  private static INDArray array(String place) throws IOException {
    return place == null ? null : ArrayFile.read(place).toINDArray();
  }

  private static DataSet requirePaired(DataSet data, String names) {
    Input.require(
        data.getFeatures().size(0) == data.getLabels().size(0),
        "%s must have as many examples, got %d and %d; check the files",
        names,
        data.getFeatures().size(0),
        data.getLabels().size(0));
    return data;
  }
}
