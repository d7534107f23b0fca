// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class ConvolutionRulesTest extends ConformanceKit {
  private static final INDArray IMAGES = Networks.gaussian(1, 2, 2, 5, 6);
  private static final INDArray LABELS = Networks.gaussian(2, 2, 2);

  private static ConvolutionLayer.Builder conv(int... kernel) {
    return new ConvolutionLayer.Builder(kernel).nOut(3).activation(Activation.TANH);
  }

  private static Deconvolution2D.Builder deconvolution() {
    return new Deconvolution2D.Builder(2, 2).nOut(3).activation(Activation.TANH);
  }

  private static DepthwiseConvolution2D.Builder depthwise() {
    return new DepthwiseConvolution2D.Builder(2, 2).depthMultiplier(2).activation(Activation.TANH);
  }

  private static SeparableConvolution2D.Builder separable() {
    return new SeparableConvolution2D.Builder(2, 2)
        .nOut(3)
        .depthMultiplier(2)
        .activation(Activation.TANH);
  }

  private static Layer output() {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nOut(2)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static Case images(String name, Layer... layers) {
    return new Case(
        name,
        type -> Networks.network(type, 7, InputType.convolutional(5, 6, 2), layers),
        IMAGES,
        LABELS);
  }

  private static Case lastChannels(String name, Layer... layers) {
    return new Case(
        name,
        type ->
            Networks.network(type, 7, InputType.convolutional(5, 6, 2, CNN2DFormat.NHWC), layers),
        IMAGES.permute(0, 2, 3, 1).dup('c'),
        LABELS);
  }

  @Override
  List<Case> cases() {
    return List.of(
        images("valid", conv(2, 3).build(), output()),
        images("two, no bias", conv(2, 2).hasBias(false).build(), conv(3, 2).build(), output()),
        images(
            "stride, padding, dilation",
            conv(2, 2).stride(2, 1).padding(1, 1).dilation(1, 2).build(),
            output()),
        images(
            "same mode",
            conv(3, 2).stride(2, 2).convolutionMode(ConvolutionMode.Same).build(),
            output()),
        images(
            "max pooling and average pooling",
            conv(2, 2).convolutionMode(ConvolutionMode.Same).build(),
            new SubsamplingLayer.Builder(
                    SubsamplingLayer.PoolingType.MAX, new int[] {2, 2}, new int[] {1, 1})
                .build(),
            conv(2, 2).build(),
            new SubsamplingLayer.Builder(
                    SubsamplingLayer.PoolingType.AVG, new int[] {2, 2}, new int[] {1, 2})
                .build(),
            output()),
        images(
            "global pooling, zero padding, upsampling",
            new ZeroPaddingLayer.Builder(1, 1).build(),
            conv(2, 2).build(),
            new Upsampling2D.Builder(2).build(),
            conv(2, 2).build(),
            new GlobalPoolingLayer.Builder(PoolingType.AVG).build(),
            output()),
        images(
            "local response normalisation",
            conv(2, 2).build(),
            new LocalResponseNormalization.Builder().build(),
            output()),
        images(
                "batch normalisation",
                conv(2, 2).build(),
                new BatchNormalization.Builder().build(),
                output())
            .byDifferences(),
        images(
            "parametric rectifier",
            conv(2, 2).build(),
            new PReLULayer.Builder().inputShape(3, 4, 5).sharedAxes(2, 3).build(),
            output()),
        images("deconvolution", conv(2, 2).build(), deconvolution().stride(2, 1).build(), output()),
        images(
            "deconvolution, padding, same mode",
            deconvolution().padding(1, 0).dilation(1, 2).build(),
            deconvolution()
                .stride(2, 3)
                .convolutionMode(ConvolutionMode.Same)
                .hasBias(false)
                .build(),
            output()),
        lastChannels(
            "deconvolution, channels last",
            deconvolution().stride(2, 1).dataFormat(CNN2DFormat.NHWC).build(),
            deconvolution()
                .stride(1, 2)
                .convolutionMode(ConvolutionMode.Same)
                .dataFormat(CNN2DFormat.NHWC)
                .build(),
            output()),
        images("depthwise", conv(2, 2).build(), depthwise().stride(2, 1).build(), output()),
        lastChannels(
            "depthwise, channels last",
            conv(2, 2).build(),
            depthwise()
                .padding(1, 1)
                .dilation(2, 1)
                .dataFormat(CNN2DFormat.NHWC)
                .hasBias(false)
                .build(),
            output()),
        images("separable", conv(2, 2).build(), separable().stride(1, 2).build(), output()),
        lastChannels(
            "separable, channels last",
            conv(2, 2).build(),
            separable()
                .convolutionMode(ConvolutionMode.Same)
                .hasBias(false)
                .dataFormat(CNN2DFormat.NHWC)
                .build(),
            output()),
        lastChannels("channels last", conv(2, 3).build(), conv(2, 2).build(), output()),
        lastChannels(
                "channels last, batch normalisation",
                conv(2, 2).build(),
                new BatchNormalization.Builder().build(),
                output())
            .byDifferences(),
        images(
                "locally connected",
                new LocallyConnected2D.Builder()
                    .kernelSize(2, 2)
                    .nOut(2)
                    .activation(Activation.TANH)
                    .build(),
                output())
            .byDifferences(),
        new Case(
            "pixel losses",
            type ->
                Networks.network(
                    type,
                    7,
                    InputType.convolutional(3, 3, 2),
                    conv(2, 2).nOut(2).build(),
                    new CnnLossLayer.Builder(LossFunction.MSE)
                        .activation(Activation.SIGMOID)
                        .build()),
            Networks.gaussian(3, 2, 2, 3, 3),
            Networks.gaussian(4, 2, 2, 2, 2)),
        new Case(
            "one dimension",
            type ->
                Networks.network(
                    type,
                    7,
                    InputType.recurrent(2, 7, RNNFormat.NCW),
                    new Convolution1DLayer.Builder(3)
                        .nOut(3)
                        .stride(2)
                        .activation(Activation.TANH)
                        .build(),
                    new Convolution1DLayer.Builder(2)
                        .nOut(2)
                        .convolutionMode(ConvolutionMode.Causal)
                        .activation(Activation.TANH)
                        .build(),
                    new GlobalPoolingLayer.Builder(PoolingType.MAX).build(),
                    output()),
            Networks.gaussian(3, 2, 2, 7),
            LABELS),
        new Case(
            "deconvolution in three dimensions",
            type -> deconvolutionInThreeDimensions(type),
            Networks.gaussian(3, 2, 2, 2, 3, 2),
            LABELS),
        new Case(
            "three dimensions",
            type -> threeDimensions(type),
            Networks.gaussian(3, 2, 2, 3, 4, 3),
            LABELS));
  }

  private static MultiLayerNetwork deconvolutionInThreeDimensions(DataType type) {
    return Networks.network(
        type,
        7,
        new Deconvolution3D.Builder()
            .kernelSize(2, 2, 2)
            .nIn(2)
            .nOut(2)
            .stride(2, 1, 1)
            .activation(Activation.TANH)
            .dataFormat(Convolution3D.DataFormat.NCDHW)
            .build(),
        new Deconvolution3D.Builder()
            .kernelSize(1, 2, 2)
            .nIn(2)
            .nOut(3)
            .convolutionMode(ConvolutionMode.Same)
            .activation(Activation.TANH)
            .dataFormat(Convolution3D.DataFormat.NCDHW)
            .build(),
        new GlobalPoolingLayer.Builder(PoolingType.AVG).build(),
        new OutputLayer.Builder(LossFunction.MSE)
            .nIn(3)
            .nOut(2)
            .activation(Activation.IDENTITY)
            .build());
  }

  private static MultiLayerNetwork threeDimensions(DataType type) {
    return Networks.network(
        type,
        7,
        new Convolution3D.Builder(2, 2, 2)
            .nIn(2)
            .nOut(2)
            .activation(Activation.TANH)
            .dataFormat(Convolution3D.DataFormat.NCDHW)
            .build(),
        new GlobalPoolingLayer.Builder(PoolingType.AVG).build(),
        new OutputLayer.Builder(LossFunction.MSE)
            .nIn(2)
            .nOut(2)
            .activation(Activation.IDENTITY)
            .build());
  }

  @Test
  void theSmallConvolutionHasThePublishedKernel() {
    MultiLayerNetwork model =
        Networks.network(
            DataType.DOUBLE,
            5,
            InputType.convolutional(3, 3, 1),
            new ConvolutionLayer.Builder(2, 2).nOut(2).activation(Activation.TANH).build(),
            output());
    model.setParam(
        "0_W",
        Nd4j.createFromArray(
            new double[][][][] {{{{.5, -.2}, {.1, .3}}}, {{{-.4, .6}, {.2, -.1}}}}));
    model.setParam("0_b", Nd4j.createFromArray(new double[][] {{.05, -.1}}));
    model.setParam(
        "1_W",
        Nd4j.createFromArray(
            new double[][] {
              {.2, -.3}, {.5, .1}, {-.4, .7}, {.3, .3}, {.6, -.2}, {-.1, .4}, {.25, -.5}, {-.6, .15}
            }));
    model.setParam("1_b", Nd4j.createFromArray(new double[][] {{0, .2}}));
    INDArray images =
        Nd4j.createFromArray(
                new double[][][][] {
                  {{{1, 2, 0}, {0, 1, -1}, {2, 0, 1}}}, {{{0, 1, 1}, {-1, 2, 0}, {1, 0, -2}}}
                })
            .muli(0.3);
    try (NtkGram gram =
        NtkGram.builder(model)
            .probe(new DataSet(images, Nd4j.zeros(DataType.DOUBLE, 2, 2)))
            .weighting(Weighting.PLAIN)
            .build()) {
      GramMatrix kernel = gram.compute(model.params()).gram();
      assertThat(kernel.get(0, 0)).isCloseTo(2.367757968689715, within(1e-14));
      assertThat(kernel.get(0, 1)).isCloseTo(0.1277562495885941, within(1e-14));
      assertThat(kernel.get(0, 2)).isCloseTo(1.9942244126320392, within(1e-14));
      assertThat(kernel.get(3, 3)).isCloseTo(2.551205944684214, within(1e-14));
    }
  }
}
