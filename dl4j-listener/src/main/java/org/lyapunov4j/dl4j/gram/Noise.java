// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.TreeSet;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationRReLU;

/** Takes what is random in training out of layer configurations and remembers what that was. */
final class Noise {
  private final TreeSet<String> noise = new TreeSet<>();
  private boolean normalised;

  /** All of it, and that statistics stand still. */
  List<String> assumptions() {
    TreeSet<String> all = new TreeSet<>(noise);
    if (normalised) {
      all.add("batch normalisation uses its running statistics, which stand still");
    }
    return List.copyOf(all);
  }

  /** What was random. */
  List<String> noise() {
    return List.copyOf(noise);
  }

  /**
   * A copy of a layer without noise that shares no configuration with the original, not even inside
   * wrappers.
   */
  Layer without(Layer original) {
    Layer layer = original.clone();
    if (layer instanceof BaseWrapperLayer wrapper) {
      wrapper.setUnderlying(without(wrapper.getUnderlying()));
    } else if (layer instanceof Bidirectional both) {
      both.setFwd(without(both.getFwd()));
      both.setBwd(without(both.getBwd()));
    }
    remove(
        layer instanceof org.deeplearning4j.nn.conf.layers.misc.FrozenLayer frozen
            ? frozen.getLayer()
            : layer);
    return layer;
  }

  /** Deeplearning4j cannot train what says nothing of its format, but reads it as time last. */
  private static void setFormat(Layer layer) {
    if (layer instanceof RnnOutputLayer output && output.getRnnDataFormat() == null) {
      output.setRnnDataFormat(RNNFormat.NCW);
    }
    if (layer instanceof RnnLossLayer output && output.getRnnDataFormat() == null) {
      output.setRnnDataFormat(RNNFormat.NCW);
    }
  }

  private void remove(Layer layer) {
    setFormat(layer);
    if (layer.getIDropout() != null) {
      layer.setIDropout(null);
      noise.add("dropout is off");
    }
    if (layer instanceof BatchNormalization) {
      normalised = true;
    }
    if (layer instanceof BaseLayer base) {
      if (base.getWeightNoise() != null) {
        base.setWeightNoise(null);
        noise.add("weight noise is off");
      }
      base.setActivationFn(withoutNoise(base.getActivationFn()));
    }
    if (layer instanceof ActivationLayer activation) {
      activation.setActivationFn(withoutNoise(activation.getActivationFn()));
    }
  }

  private IActivation withoutNoise(IActivation activation) {
    if (activation instanceof ActivationRReLU random) {
      noise.add("randomised leaky rectifiers have their mean slope");
      return new ActivationLReLU(0.5 * (random.getL() + random.getU()));
    }
    return activation;
  }
}
