@faults @chat @serial
Feature: What a router makes of a faulty backend
  One of the router's backends is a real server whose replies are corrupted on their way to the router. The router asks again
  where it may, says so where it cannot, and never passes half a reply off as a whole one.

  Background:
    Given faults happen at the service "wire"

  Scenario: A backend that is overloaded once is asked again, <delivery>
    Given replies are <delivery>
    And the next 1 requests get the status 503
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"

  Scenario: A limit that stays is told to the client, <delivery>
    Given replies are <delivery>
    And requests get the status 429
    When I ask "What is the capital of Germany?"
    Then the status is 429
    And the error has a message
    And the error has the OpenAI form

  Scenario: A page of HTML does not reach the client, <delivery>
    Given replies are <delivery>
    And replies are a page of HTML with the status 502
    When I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    And the response is not a stream
    And the error has a message

  Scenario: A reply that is cut is no reply
    Given replies are cut after 40 bytes
    When I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    And the error has a message

  Scenario: A stream that is cut ends with an error
    Given replies are streamed
    And the connection is cut after 3 events
    When I try to ask "What is the capital of Germany?"
    Then the stream ends whole or with an error

  Scenario: A reply that is no HTTP is an error
    Given replies are garbage
    When I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    And the error has a message

  Scenario: The other backend is not touched by it
    Given replies are garbage
    And the model "smollm2-q4"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"

  Scenario: A backend that is whole again is used again
    Given the next 3 requests meet the fault "cut-at=10"
    When I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    Given no more faults come
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"

  Scenario Outline: What is legal goes through: <fault>, <delivery>
    Given replies are <delivery>
    And requests meet the fault "<fault>"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    Examples:
      | fault       |
      | bytewise    |
      | gzip        |
      | delay=500ms |
