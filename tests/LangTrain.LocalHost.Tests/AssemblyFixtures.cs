using LangTrain.Testing;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]
