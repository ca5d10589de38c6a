using System.Net;
using LangTrain.AzureAdapters.Blobs;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests.Blobs;

public sealed class AzureBlobLinksTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_link_opens_one_blob_for_one_purpose_until_its_time_is_over()
    {
        var storage = azurite.NewAccount();
        var container = storage.Names.DatasetsContainer;
        using var links = new AzureBlobLinks(storage.Blobs, TimeProvider.System);
        using var client = new HttpClient();

        var write = await links.ToWriteAsync(container, "a/part", TimeSpan.FromMinutes(5));
        Assert.Equal(HttpStatusCode.Created, await PutAsync(client, write));
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(write)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, await PutAsync(client, new Uri(write.AbsoluteUri.Replace("/part?", "/other?", StringComparison.Ordinal))));

        var read = await links.ToReadAsync(container, "a/part", TimeSpan.FromMinutes(5), "my \"file\".bin");
        using var answer = await client.GetAsync(read);
        Assert.Equal("content", await answer.Content.ReadAsStringAsync());
        Assert.Equal("my _file_.bin", answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        Assert.Equal(HttpStatusCode.Forbidden, await PutAsync(client, read));
        Assert.Equal(HttpStatusCode.Forbidden, (await client.DeleteAsync(read)).StatusCode);

        using var past = new AzureBlobLinks(storage.Blobs, new ManualTimeProvider(DateTimeOffset.UtcNow.AddHours(-2)));
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(await past.ToReadAsync(container, "a/part", TimeSpan.FromMinutes(5), "x"))).StatusCode);
    }

    private static async Task<HttpStatusCode> PutAsync(HttpClient client, Uri url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = new StringContent("content"), Headers = { { "x-ms-blob-type", "BlockBlob" } } };
        using var response = await client.SendAsync(request);
        return response.StatusCode;
    }
}
