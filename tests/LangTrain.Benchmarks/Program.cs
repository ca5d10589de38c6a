using LangTrain.Benchmarks;

return args switch
{
    ["training-speed", .. var rest] => TrainingSpeed.Run(rest),
    ["loss-speed"] => LossSpeed.Run(),
    ["train-tiny-base-model", .. var rest] => TinyBaseModelTraining.Run(rest),
    ["write-demo-dataset", var folder] => WriteDemo(folder),
    ["service-speed", .. var rest] => ServiceSpeed.RunAsync(rest).GetAwaiter().GetResult(),
    ["plain-server", var url] => PlainServer.Run(url),
    ["check-demo", var baseModel, var dataset] => DemoCheck.Run(baseModel, dataset),
    _ => Usage(),
};

static int WriteDemo(string folder)
{
    LangTrain.Training.TinyBaseModel.DemoDataset.Write(folder, seed: 7);
    return 0;
}

static int Usage()
{
    Console.Error.WriteLine("""
        dotnet run -c Release --project tests/LangTrain.Benchmarks -- <verb>

          service-speed [models|submit|list|upload]                  LocalHost over Azurite beside a plain ASP.NET Core server and a copy on disk
          loss-speed                                                 the head and its loss alone
          train-tiny-base-model --out <folder> [--documents <n>]    makes the base model that ships with LocalHost
          check-demo <base model folder> <dataset folder>            fine-tunes it on the demo's dataset; held-out exact match before and after
          training-speed [demo|1m|15m|110m] [lora|qlora|full] [steps] [threads]   tokens a second of training steps, fp32
        """);
    return 2;
}
