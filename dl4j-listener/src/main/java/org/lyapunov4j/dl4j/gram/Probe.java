// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A private copy of the probe set, features in the type products are formed in, labels in double.
 */
final class Probe {
  private final DataType dataType;
  private final INDArray[] features;
  private final INDArray[] labels;
  private final INDArray[] featuresMasks;
  private final INDArray[] labelsMasks;

  private Probe(MultiDataSet data, DataType type) {
    dataType = type;
    features = copy(data.getFeatures(), type);
    labels = copy(data.getLabels(), DataType.DOUBLE);
    featuresMasks = masks(data.getFeaturesMaskArrays(), features, type, "features");
    labelsMasks = masks(data.getLabelsMaskArrays(), labels, type, "labels");
  }

  /** Copies a data set. */
  static Probe of(MultiDataSet data, DataType type) {
    requireNumbers(data.getFeatures(), "features");
    requireNumbers(data.getLabels(), "labels");
    long examples = data.getFeatures(0).size(0);
    for (INDArray array : data.getFeatures()) {
      requireExamples(array, examples, "features");
    }
    for (INDArray array : data.getLabels()) {
      requireExamples(array, examples, "labels");
    }
    return new Probe(data, type);
  }

  private static void requireNumbers(INDArray[] arrays, String what) {
    if (arrays == null || arrays.length == 0 || Arrays.stream(arrays).anyMatch(a -> a == null)) {
      throw new IllegalArgumentException(
          "the probe set has no " + what + "; give one array for each input and output");
    }
    for (INDArray array : arrays) {
      if (!array.dataType().isNumerical()) {
        throw new IllegalArgumentException(
            String.format("%s must be numbers, got %s", what, array.dataType()));
      }
      requireFinite(array, what);
    }
  }

  private static void requireFinite(INDArray array, String what) {
    if (isFinite(array)) {
      return;
    }
    int example = 0;
    while (isFinite(array.slice(example))) {
      example++;
    }
    throw new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "%s must be finite, got NaN or infinity in example %d; clean it or leave it out",
            what,
            example));
  }

  private static boolean isFinite(INDArray array) {
    return !array.dataType().isFPType() || !(array.isNaN().any() || array.isInfinite().any());
  }

  private static void requireExamples(INDArray array, long examples, String what) {
    if (array.size(0) != examples) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s must have one row for each of the %d examples, got shape %s",
              what,
              examples,
              Arrays.toString(array.shape())));
    }
  }

  private static INDArray[] copy(INDArray[] arrays, DataType type) {
    INDArray[] copies = new INDArray[arrays.length];
    for (int i = 0; i < arrays.length; i++) {
      copies[i] = arrays[i].castTo(type).dup('c');
    }
    return copies;
  }

  private static INDArray[] masks(INDArray[] masks, INDArray[] arrays, DataType type, String what) {
    if (masks == null || Arrays.stream(masks).allMatch(mask -> mask == null)) {
      return null;
    }
    if (masks.length != arrays.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there must be a mask, or null, for each of the %d arrays of %s, got %d",
              arrays.length,
              what,
              masks.length));
    }
    INDArray[] copies = new INDArray[masks.length];
    for (int i = 0; i < masks.length; i++) {
      if (masks[i] != null) {
        requireFits(masks[i], arrays[i], what);
        copies[i] = RowMask.requireBinary(masks[i], what).castTo(type).dup('c');
      }
    }
    return copies;
  }

  /** Deeplearning4j refuses other misfits in its forward pass, but not this one. */
  private static void requireFits(INDArray mask, INDArray array, String what) {
    requireExamples(mask, array.size(0), "a mask of " + what);
    long perExample = mask.length() / mask.size(0);
    if (array.rank() == 3 && perExample != array.size(1) && perExample != array.size(2)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a mask of %s must have one entry for each time step, got shape %s for %s of shape"
                  + " %s",
              what,
              Arrays.toString(mask.shape()),
              what,
              Arrays.toString(array.shape())));
    }
  }

  int examples() {
    return Math.toIntExact(features[0].size(0));
  }

  DataType dataType() {
    return dataType;
  }

  /** One array for each input of the network. */
  INDArray[] features() {
    return features;
  }

  /** One array for each output. */
  INDArray[] labels() {
    return labels;
  }

  /** One mask or null for each input; null if there are none. */
  INDArray[] featuresMasks() {
    return featuresMasks;
  }

  /** One mask or null for each output; null if there are none. */
  INDArray[] labelsMasks() {
    return labelsMasks;
  }

  /** The only mask of features of a network with one input, or null. */
  INDArray featuresMask() {
    return featuresMasks == null ? null : featuresMasks[0];
  }

  /** The only mask of labels of a network with one output, or null. */
  INDArray labelsMask() {
    return labelsMasks == null ? null : labelsMasks[0];
  }
}
