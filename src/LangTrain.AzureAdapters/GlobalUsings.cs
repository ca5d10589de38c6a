// By name: the namespace Azure as a whole also has a Page<T>, which is not the one of Core.
global using ETag = Azure.ETag;
global using RequestFailedException = Azure.RequestFailedException;
